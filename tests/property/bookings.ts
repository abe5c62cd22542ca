import { anyRow, type Maker, only, reasonsOf, type Scene, wishOf } from './attempts.ts';
import { instantText } from './clock.ts';
import { spanOf, type Wish } from './oracle.ts';

/* Ways to take time: booking, holding, waiting. */

/** Whether the very time is held for its patient: who books it confirms the hold, with an override or without. */
const isHeld = ({ rows }: Scene, { doctor, kind, startsAt, patientId }: Wish): boolean =>
  rows.some(
    (row) =>
      row.isLive &&
      row.isHeld &&
      row.doctorId === doctor.id &&
      row.patientId === patientId &&
      row.kindId === kind.id &&
      row.startsAt === startsAt,
  );

export const book: Maker = (scene) => {
  const wish = wishOf(scene);
  const { doctor, kind, startsAt, patientId } = wish;
  return {
    what: 'book',
    actor: 'reception',
    sql: 'select * from hospital.book_appointment($1, $2, $3, $4)',
    values: [patientId, doctor.id, kind.id, instantText(startsAt)],
    reasons: isHeld(scene, wish) ? new Set() : reasonsOf(scene, wish),
  };
};

export const bookWithOverride: Maker = (scene) => {
  const wish = wishOf(scene);
  const { doctor, kind, startsAt, patientId } = wish;
  return {
    what: 'book with an override',
    actor: 'administrator',
    sql: `select * from hospital.book_appointment($1, $2, $3, $4, override_reason => 'doctor_agreed')`,
    values: [patientId, doctor.id, kind.id, instantText(startsAt)],
    reasons: isHeld(scene, wish) ? new Set() : reasonsOf(scene, { ...wish, override: spanOf(wish) }),
  };
};

export const insert: Maker = (scene) => {
  const wish = { ...wishOf(scene), isHold: scene.random.chance(0.3) };
  return {
    what: 'insert',
    actor: 'owner',
    sql: `insert into hospital.appointments
            (patient_id, doctor_id, appointment_type_id, starts_at, status, expires_at)
          values ($1, $2, $3, $4, $5, $6)`,
    values: [
      wish.patientId,
      wish.doctor.id,
      wish.kind.id,
      instantText(wish.startsAt),
      wish.isHold ? 'held' : 'scheduled',
      wish.isHold ? instantText(Math.ceil(scene.now) + 60) : null,
    ],
    reasons: reasonsOf(scene, wish),
  };
};

export const hold: Maker = (scene) => {
  const wish = { ...wishOf(scene), isHold: true };
  return {
    what: 'hold',
    actor: 'reception',
    sql: 'select * from hospital.hold_slot($1, $2, $3, $4)',
    values: [wish.patientId, wish.doctor.id, wish.kind.id, instantText(wish.startsAt)],
    reasons: reasonsOf(scene, wish),
  };
};

export const confirm: Maker = (scene) => {
  const row = anyRow(scene, ({ isHeld }) => isHeld || scene.random.chance(0.05));
  if (!row) return undefined;
  const hasExpired = row.status === 'lapsed' || (row.isHeld && !row.isLive);
  return {
    what: `confirm ${row.status}`,
    actor: 'reception',
    sql: 'select * from hospital.confirm_hold($1)',
    values: [row.id],
    reasons: hasExpired ? new Set(['XHOLD']) : only(!row.isHeld, 'TRNSN'),
  };
};

export const lapse: Maker = (scene) => {
  const row = anyRow(scene, ({ isHeld, isLive }) => isHeld && isLive);
  return (
    row && {
      what: 'lapse',
      actor: 'superuser',
      sql: `update hospital.appointments set expires_at = clock_timestamp() - interval '1 second' where id = $1`,
      values: [row.id],
      reasons: new Set(),
    }
  );
};

/** What comes of it depends on several weeks: it ends in a clear way, and the invariants hold. */
export const bookSeries: Maker = (scene) => {
  const { doctor, kind, startsAt, patientId } = wishOf(scene);
  return {
    what: 'book a series',
    actor: 'reception',
    sql: 'select * from hospital.book_series($1, $2, $3, $4, $5, skip_impossible => $6)',
    values: [
      patientId,
      doctor.id,
      kind.id,
      instantText(startsAt),
      scene.random.whole(2, 4),
      scene.random.chance(0.5),
    ],
    reasons: new Set(),
    tolerated: ['SRIES', 'TOFAR'],
  };
};

/** From then on, cancellations and moves make offers by themselves. */
export const joinWaitlist: Maker = (scene) => {
  const { doctor, kind, patientId } = wishOf(scene);
  return {
    what: 'join the waitlist',
    actor: 'reception',
    sql: `select *
          from hospital.join_waitlist($1, $2, doctor_id => $3, starts_from => $4, starts_before => $5)`,
    values: [
      patientId,
      kind.id,
      doctor.id,
      instantText(scene.centre - 1500),
      instantText(scene.centre + 1500),
    ],
    reasons: new Set(),
    tolerated: ['WISHN'],
  };
};

export const refuseOffer: Maker = (scene) => {
  const row = anyRow(scene, ({ isLive, isHeld, isOffer }) => isLive && isHeld && isOffer);
  return (
    row && {
      what: 'refuse an offer',
      actor: 'reception',
      sql: 'select * from hospital.refuse_offer($1)',
      values: [row.id],
      reasons: new Set(),
    }
  );
};
