import type pg from 'pg';

/**
 * Sets notice and horizon aside until `restore` is called in the same transaction; nobody else sees it. The seed
 * writes in one moment what people booked over two years, each in time, and its day need not be today's.
 */
export async function suspendBookingRules(client: pg.Client): Promise<{ restore(): Promise<void> }> {
  await client.query(
    `create temporary table seed_booking_rules on commit drop as
     select id, notice_minutes, horizon_days
     from hospital.appointment_types`,
  );
  await client.query('update hospital.appointment_types set notice_minutes = 0, horizon_days = 3650');
  return {
    restore: async () => {
      await client.query(
        `update hospital.appointment_types as t
         set notice_minutes = r.notice_minutes, horizon_days = r.horizon_days
         from pg_temp.seed_booking_rules as r
         where r.id = t.id`,
      );
    },
  };
}
