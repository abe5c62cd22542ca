import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Client } from 'pg';
import { workOnce } from '../../tools/worker/once.ts';
import { openHospital, type WorkerHospital } from '../support/worker.ts';

const bodies = async (hospital: WorkerHospital, appointment: string): Promise<unknown[]> =>
  hospital.column('select body from hospital.notifications where appointment_id = $1 order by id', [appointment]);

/** What a clock and a calendar in that zone show, by another library than the database's. */
function told(startsAt: Date, timeZone: string): string {
  const date = new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'long', year: 'numeric' });
  const weekday = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'long' });
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return `${weekday.format(startsAt)}, ${date.format(startsAt)} at ${time.format(startsAt)}`;
}

describe('reminders', { concurrency: 2 }, () => {
  test('are written once however often the job runs', async (t) => {
    const hospital = await openHospital(3);
    t.after(() => hospital.close());
    for (let round = 1; round <= 3; round += 1) await workOnce(hospital.url);
    assert.deepEqual(
      await hospital.column('select count(*)::integer from hospital.notifications group by appointment_id'),
      [1, 1, 1],
    );
  });

  test("tell the facility's time, and the patient's beside it where the clocks differ", async (t) => {
    const hospital = await openHospital(0, 'America/New_York');
    t.after(() => hospital.close());
    const away = await hospital.book(3, { timeZone: 'Asia/Tokyo' });
    const here = await hospital.book(4);
    await workOnce(hospital.url);
    const expected = async (appointment: string, other?: [zone: string, name: string]): Promise<string> => {
      const [startsAt] = await hospital.column('select starts_at from hospital.appointments where id = $1', [appointment]);
      const local = told(startsAt as Date, 'America/New_York');
      const both = other ? `${local} New York time (${told(startsAt as Date, other[0])} ${other[1]} time)` : local;
      return `You have an appointment on ${both}, Cardiology, Harbor Hospital.`;
    };
    assert.deepEqual(await bodies(hospital, away), [await expected(away, ['Asia/Tokyo', 'Tokyo'])]);
    assert.deepEqual(await bodies(hospital, here), [await expected(here)]);
  });

  test('are written once by workers at once, also while appointments are moved and called off', async (t) => {
    const hospital = await openHospital(12);
    t.after(() => hospital.close());
    const mover = new Client({ connectionString: hospital.database.url('hospital_owner') });
    await mover.connect();
    const appointments = await hospital.column('select id from hospital.appointments order by id');
    const workers = [1, 2, 3].map(() => workOnce(hospital.url));
    for (const [n, id] of appointments.entries()) {
      if (n % 3 === 0)
        await mover.query(
          `update hospital.appointments set status = 'cancelled', cancellation_reason = 'doctor_ill' where id = $1`,
          [id],
        );
      if (n % 3 === 1)
        await mover.query(`update hospital.appointments set starts_at = starts_at + interval '5 minutes' where id = $1`, [id]);
    }
    await Promise.all(workers);
    await mover.end();
    // Whoever was just being changed is reminded of by the next run.
    await workOnce(hospital.url);
    const valid = await hospital.column(
      `select count(n.id)::integer
       from hospital.appointments as a
       left join hospital.notifications as n on n.appointment_id = a.id and n.withdrawn_at is null
       group by a.id
       order by a.id`,
    );
    assert.deepEqual(valid, appointments.map((_, n) => (n % 3 === 0 ? 0 : 1)));
    const wrong = await hospital.column(
      `select n.id
       from hospital.notifications as n
       join hospital.appointments as a on a.id = n.appointment_id
       where n.withdrawn_at is null
         and n.body not like '%' || hospital_private.told_time(a.starts_at, 'America/New_York', null, false) || '%'`,
    );
    assert.deepEqual(wrong, []);
  });

  test('are written anew for an appointment that was moved', async (t) => {
    const hospital = await openHospital(0);
    t.after(() => hospital.close());
    const appointment = await hospital.book(2);
    await workOnce(hospital.url);
    await hospital.owner.query(
      `update hospital.appointments
       set starts_at = starts_at + interval '3 hours', ends_at = ends_at + interval '3 hours'
       where id = $1`,
      [appointment],
    );
    await workOnce(hospital.url);
    await workOnce(hospital.url);
    const [first, second, ...more] = await bodies(hospital, appointment);
    assert.deepEqual(more, []);
    assert.notEqual(first, second);
  });

  test('are written only for appointments that stand and are near', async (t) => {
    const hospital = await openHospital(0);
    t.after(() => hospital.close());
    const near = await hospital.book(23);
    const cancelled = await hospital.book(2);
    await hospital.book(26);
    const late = await hospital.book(4);
    await hospital.owner.query(
      `update hospital.appointments set status = 'cancelled', cancellation_reason = 'patient_request' where id = $1`,
      [cancelled],
    );
    await hospital.owner.query(
      `update hospital.patients
       set deceased_on = current_date
       where id = (select patient_id from hospital.appointments where id = $1)`,
      [late],
    );
    await workOnce(hospital.url);
    assert.deepEqual(await hospital.column('select appointment_id from hospital.notifications'), [near]);
  });
});
