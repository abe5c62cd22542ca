import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { workOnce } from '../../tools/worker/once.ts';
import { openHospital, type WorkerHospital } from '../support/worker.ts';

const bodies = async (hospital: WorkerHospital, appointment: string): Promise<unknown[]> =>
  hospital.column('select body from hospital.notifications where appointment_id = $1 order by id', [appointment]);

/** What a clock and a calendar in that zone show, by another library than the database's. */
function told(startsAt: Date, timeZone: string): string {
  const date = new Intl.DateTimeFormat('en-GB', { timeZone, day: 'numeric', month: 'long', year: 'numeric' });
  const weekday = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'long' });
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return `${weekday.format(startsAt)}, ${date.format(startsAt)} at ${time.format(startsAt)},`;
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

  test("tell the time of the patient's zone, or the facility's when the patient has none", async (t) => {
    const hospital = await openHospital(0, 'America/New_York');
    t.after(() => hospital.close());
    const away = await hospital.book(3, { timeZone: 'Asia/Tokyo' });
    const here = await hospital.book(4);
    await workOnce(hospital.url);
    for (const [appointment, zone] of [[away, 'Asia/Tokyo'], [here, 'America/New_York']] as const) {
      const when = 'select starts_at from hospital.appointments where id = $1';
      const [startsAt] = await hospital.column(when, [appointment]);
      const [body] = await bodies(hospital, appointment);
      assert.ok(String(body).includes(told(startsAt as Date, zone)), `${body} / ${told(startsAt as Date, zone)}`);
    }
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
