import assert from 'node:assert/strict';
import type { Client } from 'pg';
import type { TestDatabase } from '../support/database.ts';
import type { Attempt, Maker, Scene } from './attempts.ts';
import * as bookings from './bookings.ts';
import * as changes from './changes.ts';
import { day } from './clock.ts';
import { connect, disconnect, rowsOf } from './hospital.ts';
import * as hours from './hours.ts';
import { checkInvariants } from './invariants.ts';
import { type Random, randomOf } from './random.ts';
import { addRules, centreOf, makeWorld, numberFrom, weekOf, zones } from './world.ts';

/** How often each is tried, against the others. */
const makers: [Maker, number][] = [
  [bookings.book, 14],
  [bookings.bookWithOverride, 2],
  [bookings.insert, 6],
  [bookings.hold, 8],
  [bookings.confirm, 4],
  [bookings.lapse, 4],
  [changes.move, 14],
  [changes.moveWithOverride, 2],
  [changes.override, 2],
  [bookings.bookSeries, 1],
  [bookings.joinWaitlist, 1],
  [bookings.refuseOffer, 1],
  [changes.cancel, 10],
  [changes.reactivate, 5],
  [changes.resize, 6],
  [changes.changeDoctor, 4],
  [changes.checkIn, 1],
  [changes.missed, 1],
  [changes.assign, 6],
  [changes.unassign, 1],
  [hours.setSchedule, 3],
  [hours.addTimeOff, 3],
  [hours.dropRule, 2],
  [hours.shortenRule, 2],
  [hours.addRule, 3],
  [hours.addAbsence, 3],
  [hours.dropAbsence, 2],
  [hours.addSession, 3],
  [hours.dropSession, 2],
];
const lottery = makers.flatMap(([maker, tickets]) => Array<Maker>(tickets).fill(maker));

/** Constraints that say the same as a condition, to clients of the API as well. */
const codes: Record<string, string> = {
  appointments_doctor_never_double_booked: 'SLOTT',
  appointments_patient_never_double_booked: 'PATBU',
  appointments_room_never_double_booked: 'ROOMT',
  appointment_staff_never_double_booked: 'STAFB',
  appointment_status_history_transition_allowed: 'HISTORY',
};

/**
 * Makes a small random world and runs random operations against it, each of which must end as the oracle
 * says; after every hundred all invariants are checked. Returns how often each ended in which way.
 */
export async function runOperations(
  database: TestDatabase,
  seed: number,
  count: number,
): Promise<Record<string, number>> {
  const random = randomOf(seed);
  const clients = await connect(database);
  const counts: Record<string, number> = {};
  let what = 'the making of the world';
  try {
    const scene = await makeScene(clients.superuser, random);
    for (let n = 1; n <= count; n++) {
      scene.now = Date.now() / 60_000;
      const attempt = random.pick(lottery)(scene);
      if (!attempt) continue;
      what = `operation ${n}, ${attempt.what} ${JSON.stringify(attempt.values)}`;
      const { ending, answer } = await run(clients[attempt.actor], attempt);
      check(attempt, ending);
      if (answer) {
        attempt.applied?.(answer);
        scene.rows = await rowsOf(clients.superuser, scene.world);
      }
      const key = `${attempt.what}: ${ending}`;
      counts[key] = (counts[key] ?? 0) + 1;
      if (n % 100 === 0 || n === count) await checkInvariants(clients.superuser, scene.world);
    }
    return counts;
  } catch (error) {
    throw new Error(`INFIRMARY_SEED=${seed}, ${what}: ${(error as Error).message}`, { cause: error });
  } finally {
    await disconnect(clients);
  }
}

async function makeScene(client: Parameters<typeof makeWorld>[0], random: Random): Promise<Scene> {
  const zone = random.pick(zones);
  const now = Math.floor(Date.now() / 60_000);
  // The waitlist is offered the time of the next weeks only.
  const centre = random.chance(0.4) ? now + random.whole(4 * day, 50 * day) : centreOf(random, zone, now);
  const world = await makeWorld(client, random, zone, { doctors: 3, rooms: 2, patients: 5, kinds: 3 });
  const date = Math.floor(world.clock.shows(centre) / day);
  for (const doctor of world.doctors) await addRules(client, doctor, weekOf(random, world.rooms, date));
  const nurses = [
    await numberFrom(client, `select tests.staff('nurse', $1)`, [world.departmentId]),
    await numberFrom(client, `select tests.staff('nurse', $1)`, [world.departmentId]),
  ];
  return { random, world, nurses, centre, rows: [], now: 0 };
}

interface Ending {
  /** 'done', or the condition or constraint that refused it. */
  ending: string;
  /** The first row of what was done. */
  answer?: Record<string, unknown>;
}

async function run(client: Client, { sql, values }: Attempt): Promise<Ending> {
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql, values);
    return { ending: 'done', answer: rows[0] ?? {} };
  } catch (error) {
    // The error is told before the transaction's locks are let go: whoever comes next would meet them.
    await client.query('select');
    const { code, constraint, message } = error as { code?: string; constraint?: string; message: string };
    if (!code) throw error;
    if (constraint) return { ending: codes[constraint] ?? constraint };
    return { ending: /^[A-Z]{5}$/.test(code) ? code : `${code} ${constraint ?? message}` };
  }
}

function check({ reasons, tolerated = [] }: Attempt, ending: string): void {
  if (tolerated.includes(ending)) return;
  const known = reasons.size === 0 ? ['done'] : [...reasons];
  assert.ok(known.includes(ending), `ended with ${ending}, and not ${known.join(' or ')}`);
}
