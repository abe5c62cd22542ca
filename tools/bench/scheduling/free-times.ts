import type { Client } from 'pg';
import { ask, withClient } from '../../database.ts';
import type { Figure, Ratio } from '../comparison.ts';
import type { Bench } from '../suite.ts';
import { findingContender } from './finding.ts';
import { claimsOf, type Hospital, type Hospitals } from './hospitals.ts';

/** The usual ways to ask, and their functions in the hospitals' databases. */
const baselines = [
  ['NOT EXISTS', 'not_exists'],
  ['LATERAL', 'lateral_join'],
] as const;

const findingFigures: readonly Figure[] = [
  { key: 'execution', title: 'execution', clock: 'server', unit: 'ms' },
  { key: 'client', title: 'planned, executed and received', clock: 'client', unit: 'ms' },
];

/** What is asked: the finder's answer, how the baselines are asked for the same, and what is hoped for. */
interface Asked {
  title: string;
  finder: string;
  /** The arguments of a baseline, and what follows them. */
  baseline: string;
  rest?: string;
  values: unknown[];
  /** Milliseconds in the server. */
  most: number;
  /** At most, where the baselines take long. */
  rounds?: number;
}

/** Compares the finder with the baselines, in a hospital with a short past and in one with a long one. */
export async function compareFinding(bench: Bench, hospitals: Hospitals, role: string): Promise<void> {
  const { small, large } = hospitals;
  const url = (hospital: Hospital): string => bench.database.url('postgres', hospital.database);
  await withClient(url(small), (smaller) =>
    withClient(url(large), async (larger) => {
      for (const asked of await chooseQuestions(smaller, small)) {
        const places = [
          { hospital: small, client: smaller, claims: await claimsOf(bench.database, small, role) },
          { hospital: large, client: larger, claims: await claimsOf(bench.database, large, role) },
        ];
        const ways = {
          finder: asked.finder,
          ...Object.fromEntries(
            // The row security that a patient meets is the finder's to bear; one baseline shows that.
            baselines.slice(0, role === 'hospital_owner' ? 2 : 1).map(([way, name]) => [
              way,
              `select * from bench.${name}(${asked.baseline}) ${asked.rest ?? ''}`,
            ]),
          ),
        };
        const nameOf = (way: string, { appointments }: Hospital): string => `${way}, ${appointments.toLocaleString('en')}`;
        const contenders = places.flatMap(({ hospital, client, claims }) =>
          Object.entries(ways).map(([way, sql]) =>
            findingContender({ name: nameOf(way, hospital), client, role, claims, sql, values: asked.values }),
          ),
        );
        const [finder, finderLarge] = [nameOf('finder', small), nameOf('finder', large)] as const;
        const others = Object.keys(ways).filter((way) => way !== 'finder');
        await bench.measure({
          title: `${asked.title}, as ${role}`,
          figures: findingFigures,
          contenders,
          ratios: [
            ...[small, large].flatMap((hospital) =>
              others.map((way): Ratio => ({ figure: 'execution', of: nameOf(way, hospital), to: nameOf('finder', hospital) })),
            ),
            // Not grown: the time with the short past is no less than this part of that with the long one.
            { figure: 'execution', of: finder, to: finderLarge, aim: 0.8 },
          ],
          limits: [
            { figure: 'execution', of: finder, most: asked.most },
            { figure: 'execution', of: finderLarge, most: asked.most },
          ],
          rounds: Math.min(bench.rounds, asked.rounds ?? bench.rounds),
          warmUp: 1,
          notes: async () => [
            `growth from ${small.appointments.toLocaleString('en')} to ${large.appointments.toLocaleString('en')} appointments: ` +
              'the inverse of the last ratio',
          ],
        });
      }
    }),
  );
}

async function chooseQuestions(client: Client, { departmentId, doctors }: Hospital): Promise<Asked[]> {
  const { rows } = await ask(
    client,
    `select
       d.id,
       array_agg(d.id) over (),
       date_trunc('day', now()) + interval '1 day 4 hours'
     from hospital.doctors as d
     join hospital.staff_members as m
       on m.id = d.staff_member_id
     where m.department_id = $1
       and d.is_active
     order by
       (select count(*) from hospital.appointments as a where a.doctor_id = d.id and a.status = 'scheduled' and a.starts_at > now()) desc,
       d.id
     limit 1`,
    [departmentId],
  );
  const [doctor, all, from] = rows[0] as [string, string, string];
  const finder = (doctors: string, days: number): string =>
    `select s.doctor_id, s.room_id, s.starts_at
     from hospital.free_slots(${doctors}, starts_from => $2::timestamptz, starts_before => $2::timestamptz + interval '${days} days') as s`;
  const baseline = (doctors: string, days: number): string =>
    `${doctors}, $2::timestamptz, $2::timestamptz + interval '${days} days'`;
  return [
    {
      title: 'The free times of a doctor in a week',
      finder: finder('doctor_id => $1::bigint', 7),
      baseline: baseline('array[$1::bigint]', 7),
      values: [doctor, from],
      most: 1,
    },
    {
      title: 'The next free time of a doctor',
      finder: `select s.doctor_id, s.room_id, s.starts_at
        from hospital.next_free_slot(doctor_id => $1::bigint, starts_from => $2::timestamptz) as s`,
      baseline: baseline('array[$1::bigint]', 60),
      rest: 'limit 1',
      values: [doctor, from],
      most: 1,
    },
    {
      title: `The free times of ${doctors} doctors in 14 days`,
      finder: finder('department_id => $1::bigint', 14),
      // The finder finds out who works there by itself; the baselines are told.
      baseline: baseline(`case when $1::bigint is not null then '${all}'::bigint[] end`, 14),
      values: [departmentId, from],
      most: 50,
      rounds: 3,
    },
  ];
}
