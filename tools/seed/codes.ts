import type pg from 'pg';
import { diagnoses, medications, treatmentTypes } from './curated/read.ts';

/** An appointment type as the generator needs it. */
export interface AppointmentType {
  id: number;
  minutes: number;
  /** Minutes kept free before and after. */
  before: number;
  after: number;
}

/** Keys of the code lists in the database that is filled. */
export interface Codes {
  diagnoses: Map<string, number>;
  medications: Map<string, number>;
  appointmentTypes: Map<string, AppointmentType>;
}

/** Adds the curated codes that are missing and returns the keys of all. Code lists are shared and never erased. */
export async function loadCodes(client: pg.Client): Promise<Codes> {
  await client.query(
    `insert into hospital.diagnosis_codes (system, code, description)
     select 'icd10cm', c.code, c.description
     from unnest($1::text[], $2::text[]) with ordinality as c (code, description, place)
     where not exists (
       select from hospital.diagnosis_codes as d where d.system = 'icd10cm' and d.code = c.code
     )
     order by c.place`,
    [diagnoses.map(({ code }) => code), diagnoses.map(({ description }) => description)],
  );
  await client.query(
    `insert into hospital.medications (code, name)
     select c.code, c.name
     from unnest($1::text[], $2::text[]) with ordinality as c (code, name, place)
     where not exists (select from hospital.medications as m where m.code = c.code)
     order by c.place`,
    [medications.map(({ code }) => code), medications.map(({ name }) => name)],
  );
  await client.query(
    `insert into hospital.treatment_types (name, code)
     select c.name, nullif(c.code, '')
     from unnest($1::text[], $2::text[]) as c (name, code)
     on conflict do nothing`,
    [treatmentTypes.map(({ name }) => name), treatmentTypes.map(({ code }) => code)],
  );
  const read = async (sql: string): Promise<[string, ...number[]][]> =>
    (await client.query({ text: sql, rowMode: 'array' })).rows.map(([code, ...numbers]) => [
      code as string,
      ...numbers.map(Number),
    ]);
  const keys = async (sql: string): Promise<Map<string, number>> =>
    new Map((await read(sql)).map(([code, id]) => [code, id as number]));
  const types = await read(
    `select code, id, duration_minutes, buffer_before_minutes, buffer_after_minutes from hospital.appointment_types`,
  );
  return {
    diagnoses: await keys(`select code, id from hospital.diagnosis_codes where system = 'icd10cm'`),
    medications: await keys('select code, id from hospital.medications'),
    appointmentTypes: new Map(
      types.map(([code, id, minutes, before, after]) => [code, { id, minutes, before, after } as AppointmentType]),
    ),
  };
}

/** The keys that a fresh database gives, for writing files without a database. */
export function freshCodes(): Codes {
  const types: [string, number, number, number][] = [
    ['consultation', 30, 0, 0],
    ['new_patient', 60, 0, 0],
    ['follow_up', 15, 0, 0],
    ['physical', 45, 0, 0],
    ['procedure', 60, 10, 20],
    ['telehealth', 20, 0, 0],
    ['walk_in', 30, 0, 0],
    ['imported', 15, 0, 0],
  ];
  const number = (codes: string[]): Map<string, number> =>
    new Map(codes.map((code, place) => [code, place + 1]));
  return {
    diagnoses: number(diagnoses.map(({ code }) => code)),
    medications: number(medications.map(({ code }) => code)),
    appointmentTypes: new Map(
      types.map(([code, minutes, before, after], place) => [code, { id: place + 1, minutes, before, after }]),
    ),
  };
}
