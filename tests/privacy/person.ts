import type { Client } from 'pg';

/** Everything that says who the person of these tests is. */
export const identity = {
  given: 'Zebulon',
  family: 'Quixworth',
  born: '1979-11-23',
  email: 'zebulon@quix.test',
  phone: '+1 617 555 0177',
  address: '42 Marker Lane, Quixtown',
  ssn: '987-65-4329',
  /** As he is called in a duplicate of his record. */
  otherFamily: 'Quixwurth',
  otherPhone: '+1 617 555 0166',
} as const;

/** A word that is typed wherever anybody may type. */
export const marker = 'zqmarkerword';

/**
 * A patient with an account, a log-in, two versions of a visit and whatever else hangs off a patient, all
 * of it older than any retention rule asks for; the marker stands in every free text. Returns his key.
 */
export async function makePerson(client: Client): Promise<number> {
  await client.query('select tests.world()');
  await client.query(`update hospital.retention_rules set kept_for = '0', minors_until_age = null`);
  // Bob of the tests' world has a row in every table about patients.
  const { rows } = await client.query<{ id: string; account: string; uuid: string }>(
    `update hospital.patients as p
     set given_name = $1, family_name = $2, date_of_birth = $3, deceased_on = null,
       time_zone = 'America/Chicago'
     from hospital_private.accounts as a
     where p.id = tests.id_of('bob') and a.patient_id = p.id
     returning p.id, a.id as account, p.public_uuid as uuid`,
    [identity.given, identity.family, identity.born],
  );
  const { id, account, uuid } = rows[0]!;
  await client.query('update hospital_private.accounts set email = $2 where id = $1', [
    account,
    identity.email,
  ]);
  await client.query('delete from hospital.contact_points where patient_id = $1', [id]);
  await client.query(
    `insert into hospital.contact_points (patient_id, kind, value)
     values ($1, 'phone', $2), ($1, 'email', $3), ($1, 'postal', $4)`,
    [id, identity.phone, identity.email, identity.address],
  );
  await client.query(
    `insert into hospital.patient_identifiers (patient_id, system, value) values ($1, 'passport', $2)`,
    [id, identity.ssn],
  );
  const duplicate = await client.query<{ id: string }>(
    `insert into hospital.patients (given_name, family_name, date_of_birth, sex)
     values ($1, $2, $3, 'male')
     returning id`,
    [identity.given, identity.otherFamily, identity.born],
  );
  await client.query(
    `insert into hospital.contact_points (patient_id, kind, value) values ($1, 'phone', $2)`,
    [duplicate.rows[0]!.id, identity.otherPhone],
  );
  await client.query('update hospital.patients set merged_into_id = $2 where id = $1', [
    duplicate.rows[0]!.id,
    id,
  ]);
  await client.query(`select tests.new_session($1)`, [identity.email]);
  await client.query(
    `insert into hospital_private.idempotency_keys (account_id, key, operation, payload_hash, result_id)
     values ($1, $2, 'book_appointment', sha256('x'), 1)`,
    [account, marker],
  );
  await client.query(`insert into staging.import_runs (source, directory) values ('synthea', '/tmp')`);
  await client.query(
    `insert into staging.import_rejects (run_id, file, line, reason, record)
     select max(r.id), 'patients', 7, 'bad_date',
       jsonb_build_object('id', $1::text, 'last', $2::text, 'ssn', $3::text)
     from staging.import_runs as r`,
    [uuid, identity.family, identity.ssn],
  );
  await client.query(
    `insert into staging.synthea_patients (line, id, last, first) values (7, $1, $2, $3)`,
    [uuid, identity.family, identity.given],
  );
  await client.query(
    `insert into staging.import_keys (target, content, ordinal, entry)
     values ('patients', sha256('content'), 1, sha256(convert_to($1, 'UTF8')))`,
    [uuid],
  );
  // Void what can be voided and type the marker into every column that people type into.
  await client.query(
    `update hospital.appointments set status = 'completed' where patient_id = $1 and status = 'in_progress'`,
    [id],
  );
  for (const table of ['visit_diagnoses', 'patient_conditions', 'treatments']) {
    await client.query(
      `update hospital.${table} set voided_at = now(), void_reason = 'x' where patient_id = $1`,
      [id],
    );
  }
  await client.query(
    `update hospital.prescriptions set stopped_at = now(), stop_reason = 'x' where patient_id = $1`,
    [id],
  );
  const typed = await client.query<{ statement: string }>(
    `select format(
       'update %s as t set %s where t.patient_id = %s',
       c.relation,
       string_agg(format('%I = %L', c.column_name, $2::text), ', '),
       $1::bigint
     ) as statement
     from hospital_private.personal_columns as c
     where c.class = 'free_text'
       and c.patient_column = 'patient_id'
       and (c.relation, c.column_name) <> ('hospital.visits', 'void_reason')
       -- These are never rewritten: they come with the marker, below.
       and c.relation not in (
         'hospital.break_glass_grants', 'hospital.consents', 'hospital.sensitivity_grants',
         'hospital.clinical_notes', 'hospital.clinical_note_versions'
       )
     group by c.relation
     order by c.relation collate "C" desc`,
    [id, marker],
  );
  for (const { statement } of typed.rows) await client.query(statement);
  await fillWhatStays(client, id);
  return Number(id);
}

/** The marker in what nobody rewrites once it is written: notes and their versions, grants, a consent, a merge. */
async function fillWhatStays(client: Client, id: string | number): Promise<void> {
  const { rows } = await client.query<{ staff: string; account: string }>(
    `select m.id as staff, a.id as account
     from hospital.visits as v
     join hospital.doctors as d
       on d.id = v.doctor_id
     join hospital.staff_members as m
       on m.id = d.staff_member_id
     join hospital_private.accounts as a
       on a.staff_member_id = m.id
     where v.patient_id = $1
     limit 1`,
    [id],
  );
  const { staff, account } = rows[0]!;
  const note = await client.query<{ id: string }>(
    `insert into hospital.clinical_notes (record_uuid, patient_id, note_type, author_id, body)
     select v.record_uuid, v.patient_id, 'progress_note', $2, jsonb_build_object('assessment', $3::text, 'subjective', 'x', 'objective', 'x')
     from hospital.visits as v
     where v.patient_id = $1
     limit 1
     returning id`,
    [id, staff, marker],
  );
  await client.query(
    `update hospital.clinical_notes
     set body = body || jsonb_build_object('plan', $2::text), signed_at = now()
     where id = $1`,
    [note.rows[0]!.id, marker],
  );
  await client.query(
    `insert into hospital.break_glass_grants
       (account_id, staff_member_id, role, patient_id, category, reason, granted, review_due_at)
     values ($2, $3, 'doctor', $1, 'emergency', $4, tstzrange('2020-01-01', '2020-01-02'), '2020-01-03')`,
    [id, account, staff, marker],
  );
  await client.query(
    `insert into hospital.consents (patient_id, scope, granted, evidence)
     values ($1, 'no_research', tstzrange('2020-01-01', null), $2)`,
    [id, marker],
  );
  await client.query(
    `insert into hospital.sensitivity_grants
       (patient_id, staff_member_id, sensitivity, granted, reason, granted_by)
     select $1, $2, s.code, tstzrange(now(), now() + interval '1 day'), $3, m.id
     from hospital.sensitivities as s
     cross join hospital.staff_members as m
     where s.code <> 'normal'
       and m.id <> $2
     limit 1`,
    [id, staff, marker],
  );
  await client.query(
    `insert into hospital.patient_merges (duplicate_id, survivor_id, reason, merged_at, unmerged_at)
     select $1, p.id, $2, '2020-01-01', '2020-01-02'
     from hospital.patients as p
     where p.id <> $1
     limit 1`,
    [id, marker],
  );
}

/** Where a value stands, as "table: value", whatever the type of the column. */
export async function searchEverywhere(client: Client, values: readonly string[]): Promise<string[]> {
  const tables = await client.query<{ name: string }>(
    `select c.oid::regclass::text as name
     from pg_catalog.pg_class as c
     join pg_catalog.pg_namespace as n
       on n.oid = c.relnamespace
     where c.relkind in ('r', 'm')
       and n.nspname !~ '^pg_'
       and n.nspname not in ('information_schema', 'tap', 'tests')
       -- A calendar has everybody's birthday in it.
       and c.oid <> 'warehouse.dim_date'::regclass
     order by 1`,
  );
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await client.query<{ value: string }>(
      `select distinct v.value
       from ${name} as t
       cross join unnest($1::text[]) as v (value)
       where position(lower(v.value) in lower(t::text)) > 0
         or position(encode(convert_to(v.value, 'UTF8'), 'hex') in t::text) > 0`,
      [values],
    );
    found.push(...rows.map(({ value }) => `${name}: ${value}`));
  }
  return found.sort();
}

/** All that must not be found any more. */
export async function valuesOf(client: Client, id: number): Promise<string[]> {
  const { rows } = await client.query<{ mrn: string; ssn: string }>(
    `select p.mrn, min(i.value) as ssn
     from hospital.patients as p
     join hospital.patient_identifiers as i
       on i.patient_id = p.id
     where p.id = $1
     group by p.mrn`,
    [id],
  );
  return [...Object.values(identity), rows[0]!.mrn, rows[0]!.ssn, marker];
}
