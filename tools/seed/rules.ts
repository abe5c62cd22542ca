import type pg from 'pg';

/**
 * Sets aside, until `restore` is called in the same transaction, what is right only for bookings made now; nobody
 * else sees it. The seed writes in one moment what people booked over two years, so there is no notice and no
 * horizon, and it brings the history of the statuses with it, which a trigger would date today.
 */
export async function suspendBookingRules(client: pg.Client): Promise<{ restore(): Promise<void> }> {
  await client.query(
    `create temporary table seed_booking_rules on commit drop as
     select id, notice_minutes, horizon_days
     from hospital.appointment_types`,
  );
  await client.query('update hospital.appointment_types set notice_minutes = 0, horizon_days = 3650');
  await client.query('alter table hospital.appointments disable trigger _700_history_insert');
  return {
    restore: async () => {
      await client.query(
        `update hospital.appointment_types as t
         set notice_minutes = r.notice_minutes, horizon_days = r.horizon_days
         from pg_temp.seed_booking_rules as r
         where r.id = t.id`,
      );
      await client.query('alter table hospital.appointments enable trigger _700_history_insert');
    },
  };
}
