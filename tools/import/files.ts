/** A file of an export and the columns of it that are imported; all others are ignored. */
export interface SourceFile {
  /** The file's name without .csv, and the table staging.synthea_<name> it lands in. */
  name: string;
  /** Without these a line means nothing. */
  required: readonly string[];
  /** These exist in some layouts only, or the hospital does without them. */
  optional: readonly string[];
}

/** The files of a Synthea export that are imported, in the order in which they depend on each other. */
export const syntheaFiles: readonly SourceFile[] = [
  {
    name: 'organizations',
    required: ['id', 'name', 'state'],
    optional: ['address', 'city', 'zip', 'phone'],
  },
  {
    name: 'providers',
    required: ['id', 'organization', 'name'],
    optional: ['speciality'],
  },
  {
    name: 'patients',
    required: ['id', 'birthdate', 'first', 'last'],
    optional: [
      'deathdate', 'ssn', 'drivers', 'passport', 'middle', 'gender', 'address', 'city', 'state', 'zip',
    ],
  },
  {
    name: 'encounters',
    required: ['id', 'start', 'patient', 'provider'],
    optional: ['stop', 'organization', 'description', 'reasondescription'],
  },
  {
    name: 'conditions',
    required: ['start', 'patient', 'code', 'description'],
    optional: ['stop', 'encounter', 'system'],
  },
  {
    name: 'medications',
    required: ['start', 'patient', 'encounter', 'code', 'description'],
    optional: ['stop'],
  },
  {
    name: 'procedures',
    required: ['start', 'patient', 'encounter', 'code', 'description'],
    optional: ['stop', 'system', 'base_cost'],
  },
];

/** What other layouts call these columns. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  start: ['date'],
  base_cost: ['cost'],
  speciality: ['specialty'],
};

/** Where each imported column stands in a line. */
export type Layout = ReadonlyMap<string, number>;

/** Reads a heading: its columns by name, in any order and in upper or lower case. */
export function layoutOf(file: SourceFile, heading: readonly string[]): Layout {
  const names = heading.map((name) => name.trim().toLowerCase());
  const layout = new Map<string, number>();
  for (const column of [...file.required, ...file.optional]) {
    const index = [column, ...(otherNames[column] ?? [])]
      .map((name) => names.indexOf(name))
      .find((position) => position >= 0);
    if (index !== undefined) layout.set(column, index);
  }
  return layout;
}

/** The required columns that a layout lacks. */
export function missingColumns(file: SourceFile, layout: Layout): string[] {
  return file.required.filter((column) => !layout.has(column));
}
