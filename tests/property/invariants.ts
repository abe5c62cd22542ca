import assert from 'node:assert/strict';
import type { Client } from 'pg';
import { instantText } from './clock.ts';
import { type Row, rowsOf } from './hospital.ts';
import { meets, works } from './oracle.ts';
import type { World } from './world.ts';

/** What must hold whatever has been done: fails naming the rows for which it does not. */
export async function checkInvariants(client: Client, world: World): Promise<void> {
  const rows = (await rowsOf(client, world, 0)).filter((row) => row.isLive);
  for (const [n, row] of rows.entries()) {
    for (const other of rows.slice(n + 1)) {
      const shared =
        row.doctorId === other.doctorId ||
        row.patientId === other.patientId ||
        (row.roomId !== null && row.roomId === other.roomId) ||
        row.staff.some((member) => other.staff.includes(member));
      assert.ok(!(shared && meets(row, other)), `two at once: ${told(row)} and ${told(other)}`);
    }
    const kind = world.kinds.find(({ id }) => id === row.kindId)!;
    assert.equal(row.from, row.startsAt - kind.before, `the buffer before ${told(row)}`);
    assert.equal(row.to, row.endsAt + kind.after, `the buffer after ${told(row)}`);
    assert.ok(isKept(world, row), `outside of the hours, without an override: ${told(row)}`);
  }
  await checkHistory(client);
}

function isKept({ clock, doctors }: World, row: Row): boolean {
  if (row.override && row.override.from <= row.from && row.to <= row.override.to) return true;
  const doctor = doctors.find(({ id }) => id === row.doctorId)!;
  if (!clock.isFirst(row.startsAt)) return false;
  for (let minute = row.from; minute < row.to; minute++) if (!works(clock, doctor, minute)) return false;
  return true;
}

/** Each entry begins where the one before ended, and the last is the present. */
async function checkHistory(client: Client): Promise<void> {
  const { rows } = await client.query(
    `with entries as (
       select
         appointment_id,
         from_status,
         to_status,
         lag(to_status) over (partition by appointment_id order by id) as before,
         lead(id) over (partition by appointment_id order by id) is null as is_last
       from hospital.appointment_status_history
     )
     select a.id, a.status, e.*
     from hospital.appointments as a
     left join entries as e
       on e.appointment_id = a.id
     where e.appointment_id is null
       or e.from_status is distinct from e.before
       or (e.is_last and e.to_status <> a.status)
     limit 3`,
  );
  assert.deepEqual(rows, [], 'a history with a gap');
  const assigned = await client.query(
    `select s.appointment_id
     from hospital.appointment_staff as s
     join hospital.appointments as a
       on a.id = s.appointment_id
     where (s.busy, s.status) is distinct from (a.busy, a.status)
     limit 3`,
  );
  assert.deepEqual(assigned.rows, [], 'staff who did not follow their appointment');
}

function told(row: Row): string {
  return JSON.stringify({ ...row, startsAt: instantText(row.startsAt), endsAt: instantText(row.endsAt) });
}
