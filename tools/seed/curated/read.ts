import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse/sync';

const read = <Name extends string>(file: string): Record<Name, string>[] =>
  parse(readFileSync(path.join(import.meta.dirname, file), 'utf8'), { columns: true }) as Record<
    Name,
    string
  >[];

/** ICD-10-CM codes with their official short descriptions. */
export const diagnoses = read<'code' | 'description'>('diagnoses.csv');
/** RxNorm codes with their names. */
export const medications = read<'code' | 'name'>('medications.csv');
/** What is done for patients. Codes are empty where no SNOMED code is certain. */
export const treatmentTypes = read<'name' | 'code'>('treatment-types.csv');
/** The main hospital first, then its community sites with their one or two specialties. */
export const facilities = read<
  'name' | 'address' | 'town' | 'zip' | 'phone' | 'primary_specialty' | 'second_specialty'
>('facilities.csv');
/** The departments of the main hospital; a parent stands before its children. */
export const departments = read<'name' | 'parent' | 'specialty' | 'location'>('departments.csv');
/** Named staff of the main hospital, managers before whom they manage. */
export const staff = read<
  | 'given_name'
  | 'family_name'
  | 'job'
  | 'department'
  | 'manager'
  | 'hired_on'
  | 'specialty'
  | 'practising_since'
>('staff.csv');
/** Named patients; the first one is the demonstration patient. */
export const patients = read<
  'given_name' | 'family_name' | 'date_of_birth' | 'sex' | 'street' | 'town' | 'zip' | 'phone'
>('patients.csv');
