import type { PoolClient } from 'pg';
import { openOwnServer } from './own-server.ts';
import { beServed } from './served.ts';

/*
 * A server with a resolver per relation, and no batching: one query for each object and each list below it. To its
 * advantage, all queries of a request share one transaction and one connection, and are prepared.
 */

type Row = Record<string, any>;

const appointmentColumns = `
  id::text, doctor_id, patient_id, status, reason,
  to_char(starts_at, 'YYYY-MM-DD"T"HH24:MI:SS.USTZH:TZM') as "startsAt",
  to_char(ends_at, 'YYYY-MM-DD"T"HH24:MI:SS.USTZH:TZM') as "endsAt"`;

const queries = {
  appointment: `select ${appointmentColumns} from hospital.appointments where id = $1::bigint`,
  ofDoctor: `
    select ${appointmentColumns}
    from hospital.appointments as a
    where doctor_id = $1::bigint order by a.starts_at desc, a.id desc limit 20`,
  ofPatient: `
    select ${appointmentColumns}
    from hospital.appointments as a
    where patient_id = $1::bigint order by a.starts_at desc, a.id desc limit 10`,
  patient: `
    select id::text, given_name || ' ' || family_name as "fullName"
    from hospital.patients where id = $1::bigint`,
  doctor: `select id::text, staff_member_id, specialization from hospital.doctors where id = $1::bigint`,
  staffMember: `
    select given_name || ' ' || family_name as "fullName"
    from hospital.staff_members where id = $1::bigint`,
  visit: `select id::text, diagnosis from hospital.visits where appointment_id = $1::bigint`,
  prescriptions: `
    select id::text, dosage, duration_days as "durationDays"
    from hospital.prescriptions as p where visit_id = $1::bigint order by p.id limit 20`,
  treatments: `
    select id::text, type, cost::text, outcome
    from hospital.treatments as t where visit_id = $1::bigint order by t.id limit 20`,
};

async function find(client: PoolClient, name: keyof typeof queries, value: unknown): Promise<Row[]> {
  const { rows } = await client.query({ name, text: queries[name], values: [value] });
  return rows;
}

async function one(client: PoolClient, name: keyof typeof queries, value: unknown): Promise<Row | null> {
  return (await find(client, name, value))[0] ?? null;
}

async function doctorOf(client: PoolClient, id: string): Promise<Row | null> {
  const doctor = await one(client, 'doctor', id);
  if (!doctor) return null;
  const { staff_member_id, ...shown } = doctor;
  return { ...shown, fullName: (await one(client, 'staffMember', staff_member_id))?.fullName ?? null };
}

async function visitOf(client: PoolClient, appointmentId: string): Promise<Row | null> {
  const visit = await one(client, 'visit', appointmentId);
  if (!visit) return null;
  const prescriptions = { nodes: await find(client, 'prescriptions', visit.id) };
  return { ...visit, prescriptions, treatments: { nodes: await find(client, 'treatments', visit.id) } };
}

const documents: Record<string, (client: PoolClient, variables: Record<string, string>) => Promise<Row>> = {
  async lookup(client, variables) {
    const found = await one(client, 'appointment', variables.id);
    if (!found) return { appointment: null };
    const { id, startsAt, endsAt, status, reason } = found;
    return { appointment: { id, startsAt, endsAt, status, reason } };
  },
  async list(client, variables) {
    const nodes: Row[] = [];
    for (const { id, startsAt, status, patient_id } of await find(client, 'ofDoctor', variables.doctorId)) {
      nodes.push({ id, startsAt, status, patient: await one(client, 'patient', patient_id) });
    }
    return { appointments: { nodes } };
  },
  async levels(client, variables) {
    const nodes: Row[] = [];
    for (const { id, startsAt, doctor_id } of await find(client, 'ofPatient', variables.patientId)) {
      nodes.push({ id, startsAt, doctor: await doctorOf(client, doctor_id), visit: await visitOf(client, id) });
    }
    return { appointments: { nodes } };
  },
};

beServed((opening) =>
  openOwnServer(opening, async (client, documentId, variables) =>
    JSON.stringify(await documents[documentId]!(client, variables)),
  ),
);
