import { active, anyRow, doctorOf, heldStill, type Maker, only, reasonsOf, sameAs, wishOf } from './attempts.ts';
import { instantText } from './clock.ts';
import { meets, roomAt, spanOf } from './oracle.ts';

/* What becomes of appointments: moved, called off, brought back, made longer, given other people. */

export const move: Maker = (scene) => {
  const row = anyRow(scene, ({ isLive }) => isLive || scene.random.chance(0.05));
  if (!row) return undefined;
  const isOnward = scene.random.chance(0.5);
  const doctor = isOnward ? doctorOf(scene, row) : scene.random.pick(scene.world.doctors);
  const startsAt = isOnward
    ? row.startsAt + scene.random.pick([-60, -15, -5, 5, 15, 60])
    : wishOf(scene).startsAt;
  const wish = { ...sameAs(scene, row), doctor, startsAt };
  // Hours that name no room leave it as it is, unless the doctor changes.
  if (row.doctorId !== doctor.id || row.startsAt !== startsAt)
    wish.roomId =
      roomAt(scene.world.clock, doctor, startsAt) ?? (row.doctorId === doctor.id ? row.roomId : null);
  // Leave to book with one doctor is none to book with another.
  if (doctor.id !== row.doctorId) delete wish.override;
  const reasons = reasonsOf(scene, wish);
  if (!['held', 'scheduled'].includes(row.status)) reasons.add('TRNSN');
  const changes = row.startsAt !== startsAt || row.doctorId !== doctor.id;
  for (const reason of heldStill(row, changes)) reasons.add(reason);
  return {
    what: `move ${row.status}`,
    actor: 'reception',
    sql: 'select * from hospital.reschedule_appointment($1, $2, $3)',
    values: [row.id, instantText(startsAt), doctor.id],
    reasons,
  };
};

export const moveWithOverride: Maker = (scene) => {
  const row = anyRow(scene, ({ isLive, status }) => isLive && ['held', 'scheduled'].includes(status));
  if (!row) return undefined;
  const { startsAt } = wishOf(scene);
  if (startsAt === row.startsAt) return undefined;
  const doctor = doctorOf(scene, row);
  const wish = { ...sameAs(scene, row), startsAt };
  wish.roomId = roomAt(scene.world.clock, doctor, startsAt) ?? row.roomId;
  return {
    what: 'move with an override',
    actor: 'administrator',
    sql: `select * from hospital.reschedule_appointment($1, $2, override_reason => 'patient_travels')`,
    values: [row.id, instantText(startsAt)],
    reasons: new Set([
      ...reasonsOf(scene, { ...wish, override: spanOf(wish) }),
      ...heldStill(row, true),
    ]),
  };
};

export const override: Maker = (scene) => {
  const row = anyRow(scene, ({ isLive }) => isLive);
  return (
    row && {
      what: 'override',
      actor: 'administrator',
      sql: `select * from hospital.override_appointment($1, 'schedule_changed')`,
      values: [row.id],
      reasons: reasonsOf(scene, { ...sameAs(scene, row), override: row }),
    }
  );
};

export const cancel: Maker = (scene) => {
  const row = anyRow(scene, () => true);
  const mayBe = [...active, 'cancelled'];
  return (
    row && {
      what: `cancel ${row.status}`,
      actor: 'reception',
      sql: `select * from hospital.cancel_appointment($1, 'doctor_unavailable')`,
      values: [row.id],
      reasons: only(!mayBe.includes(row.status) || row.status === 'in_progress', 'TRNSN', 'HISTORY'),
    }
  );
};

export const reactivate: Maker = (scene) => {
  const row = anyRow(scene, ({ status }) => status === 'cancelled');
  return (
    row && {
      what: 'reactivate',
      actor: 'owner',
      sql: `update hospital.appointments set status = 'scheduled' where id = $1`,
      values: [row.id],
      reasons: reasonsOf(scene, sameAs(scene, row)),
    }
  );
};

export const resize: Maker = (scene) => {
  const row = anyRow(scene, ({ isLive }) => isLive);
  if (!row) return undefined;
  const endsAt = Math.max(row.endsAt + scene.random.pick([-20, -5, 5, 10, 30, 60]), row.startsAt + 5);
  if (endsAt === row.endsAt) return undefined;
  const isRaw = scene.random.chance(0.5);
  return {
    what: isRaw ? 'resize' : 'extend',
    actor: isRaw ? 'owner' : 'reception',
    sql: isRaw
      ? 'update hospital.appointments set ends_at = $2 where id = $1'
      : 'select * from hospital.extend_appointment($1, $2)',
    values: [row.id, instantText(endsAt)],
    // It is no new promise: notice, horizon and limits are not asked again.
    reasons: new Set([
      ...reasonsOf(scene, { ...sameAs(scene, row), duration: endsAt - row.startsAt, isOldPromise: true }),
      ...heldStill(row, true),
    ]),
  };
};

export const changeDoctor: Maker = (scene) => {
  const row = anyRow(scene, ({ isLive, override }) => isLive && !override);
  const doctor = scene.random.pick(scene.world.doctors);
  if (!row || doctor.id === row.doctorId) return undefined;
  const wish = { ...sameAs(scene, row), doctor };
  wish.roomId = roomAt(scene.world.clock, doctor, row.startsAt);
  return {
    what: 'change the doctor',
    actor: 'owner',
    sql: 'update hospital.appointments set doctor_id = $2 where id = $1',
    values: [row.id, doctor.id],
    reasons: new Set([...reasonsOf(scene, wish), ...heldStill(row, true)]),
  };
};

export const checkIn: Maker = (scene) => {
  const row = anyRow(scene, ({ status }) => status === 'scheduled');
  return (
    row && {
      what: 'check in',
      actor: 'reception',
      sql: 'select * from hospital.check_in($1)',
      values: [row.id],
      reasons: new Set(),
    }
  );
};

export const missed: Maker = (scene) => {
  const row = anyRow(scene, ({ status }) => status === 'scheduled');
  return (
    row && {
      what: 'no-show before the start',
      actor: 'reception',
      sql: 'select * from hospital.mark_no_show($1)',
      values: [row.id],
      reasons: new Set(['TRNSN']),
    }
  );
};

export const assign: Maker = (scene) => {
  const row = anyRow(scene, ({ isLive }) => isLive);
  const member = scene.random.pick(scene.nurses);
  if (!row || row.staff.includes(member)) return undefined;
  const isBusy = scene.rows.some(
    (other) => other.isLive && other.staff.includes(member) && meets(other, row),
  );
  // A hold may run out, and nobody's time stays taken by it.
  return {
    what: 'assign',
    actor: 'reception',
    sql: 'select * from hospital.assign_appointment_staff($1, $2)',
    values: [row.id, member],
    reasons: row.isHeld ? new Set(['TRNSN']) : only(isBusy, 'STAFB'),
  };
};

export const unassign: Maker = (scene) => {
  const row = anyRow(scene, ({ staff }) => staff.length > 0);
  return (
    row && {
      what: 'unassign',
      actor: 'reception',
      sql: 'select * from hospital.unassign_appointment_staff($1, $2)',
      values: [row.id, row.staff[0]],
      reasons: new Set(),
    }
  );
};
