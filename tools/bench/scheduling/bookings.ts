import type { Client } from 'pg';
import { ask, withClient } from '../../database.ts';
import { Failure } from '../../failure.ts';
import type { Figure } from '../comparison.ts';
import { connections } from '../requests.ts';
import type { Bench } from '../suite.ts';
import { booking, bookingContender, insert, type Rush, type Slot, type Way } from './booking.ts';
import { claimsOf, type Hospital } from './hospitals.ts';

const rushing = 32;
/** How many times all of them want in one round, one after the other. */
const contestedSlots = 8;

const bookingFigures: readonly Figure[] = [
  { key: 'rate', title: 'attempts', clock: 'client', unit: '1/s' },
  { key: 'deadlocks', title: 'deadlocks in a round', clock: 'server', unit: '' },
];
/** Compares booking with bare inserts: each at times of its own, and all at the same few. */
export async function compareBooking(bench: Bench, hospital: Hospital): Promise<void> {
  const warmUp = 1;
  const rounds = bench.rounds + warmUp + 1;
  const ownerUrl = bench.database.url('hospital_owner', hospital.database);
  const { ownSlots, contested, patients } = await withClient(ownerUrl, async (owner) => ({
    ownSlots: await freeSlots(owner, hospital, 'many', rounds * bench.requests),
    contested: await freeSlots(owner, hospital, 'one', rounds * contestedSlots),
    patients: (await ask(owner, `${freePatients} and p.id % 5 = 0 order by p.id limit ${rushing}`)).rows.map(([id]) => id as string),
  }));

  const apart: Rush = {
    of: (round) => {
      const some = ownSlots.slice(round * bench.requests, (round + 1) * bench.requests);
      return Array.from({ length: connections }, (_, place) => some.filter((_slot, index) => index % connections === place));
    },
    booked: () => bench.requests,
    inStep: false,
  };
  const together: Rush = {
    of: (round) => {
      const some = contested.slice(round * contestedSlots, (round + 1) * contestedSlots);
      return patients.map((patient_id) => some.map((slot) => ({ ...slot, patient_id })));
    },
    booked: () => contestedSlots,
    inStep: true,
  };
  await compare(bench, hospital, {
    title: `Booking times of their own, ${connections} connections`,
    ways: [booking, insert('plain insert', 'bench.plain')],
    rush: apart,
    clients: connections,
    warmUp,
    aim: 0.5,
  });
  await compare(bench, hospital, {
    title: `${rushing} connections that want the same time in the same moment, ${contestedSlots} times over`,
    ways: [booking, insert('insert under the constraint', 'bench.guarded', ['23P01', '40P01'])],
    rush: together,
    clients: rushing,
    warmUp,
    aim: 30,
  });
}

interface Race {
  title: string;
  ways: [Way, Way];
  rush: Rush;
  clients: number;
  warmUp: number;
  aim: number;
}

async function compare(bench: Bench, hospital: Hospital, race: Race): Promise<void> {
  const claims = await claimsOf(bench.database, hospital, 'hospital_administrator');
  const url = bench.database.url('hospital_authenticator', hospital.database);
  const contenders = race.ways.map((way) => bookingContender(url, race.clients, claims, way, race.rush));
  const [ours, theirs] = race.ways;
  try {
    await bench.measure({
      title: `${race.title}, as hospital_administrator`,
      figures: bookingFigures,
      contenders,
      ratios: [{ figure: 'rate', of: ours.name, to: theirs.name, aim: race.aim }],
      limits: [{ figure: 'deadlocks', of: ours.name, most: 0 }],
      rounds: bench.rounds,
      warmUp: race.warmUp,
    });
  } finally {
    for (const contender of contenders) await contender.end();
  }
}

/** Who has no appointment to come. */
const freePatients = `
  select p.id
  from hospital.patients as p
  where p.deactivated_at is null
    and p.deceased_on is null
    and p.merged_into_id is null
    and not exists (
      select
      from hospital.appointments as a
      where a.patient_id = p.id
        and a.status = 'scheduled'
    )`;

/**
 * Quarters of an hour in the coming weeks, of one doctor or of all the others, each with a patient who has nothing else
 * to do.
 */
async function freeSlots(
  owner: Client,
  { departmentId }: Hospital,
  of: 'one' | 'many',
  count: number,
): Promise<Slot[]> {
  const { rows } = await owner.query<Slot>(
    `select
       p.id as patient_id,
       s.doctor_id,
       m.department_id,
       s.room_id,
       s.appointment_type_id,
       s.starts_at,
       s.ends_at,
       tstzrange(s.starts_at, s.ends_at) as busy
     from (
       select s.*, row_number() over (order by s.starts_at, s.doctor_id) as place
       from generate_series(2, 44, 14) as first_day
       cross join lateral hospital.free_slots(
         department_id => $1,
         appointment_type_id => (select t.id from hospital.appointment_types as t where t.code = 'follow_up'),
         starts_from => now() + first_day * interval '1 day',
         starts_before => now() + (first_day + 14) * interval '1 day'
       ) as s
     ) as s
     join hospital.doctors as d
       on d.id = s.doctor_id
     join hospital.staff_members as m
       on m.id = d.staff_member_id
     join (
       select row_number() over (order by p.id) as place, p.id, count(*) over () as count
       from (${freePatients}) as p
       where p.id % 5 > 0
     ) as p
       on p.place = s.place % p.count + 1
     where (
       s.doctor_id = (
         select max(x.id)
         from hospital.doctors as x
         join hospital.staff_members as y
           on y.id = x.staff_member_id
         where y.department_id = $1
           and x.is_active
       )
     ) = $3
     order by s.place
     limit $2`,
    [departmentId, count, of === 'one'],
  );
  if (rows.length < count) throw new Failure(`There are only ${rows.length} free times to measure with.`, 'Seed more: --size');
  return rows;
}
