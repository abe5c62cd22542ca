/** A value as PostgreSQL's COPY and a CSV file take it. */
export type Value = string | number | null;
export type Row = Value[];

interface Table {
  schema: string;
  columns: string[];
  /** Columns that the database fills itself; the rows still carry what it will fill in, for the CSV files. */
  filled: string[];
}

const table = (columns: string, filled = 'id', schema = 'hospital'): Table => ({
  schema,
  columns: columns.split(' '),
  filled: filled.split(' '),
});

/** What is written, in the order in which foreign keys allow it. The first column is the key where it is called id. */
export const tables = {
  facilities: table('id public_uuid name time_zone address phone created_at updated_at'),
  departments: table('id facility_id parent_id name location created_at updated_at'),
  rooms: table('id department_id name created_at updated_at'),
  staff_members: table(
    'id public_uuid given_name family_name job department_id manager_id hired_on created_at updated_at',
  ),
  doctors: table(
    'id staff_member_id specialization licence practising_since approved_at created_at updated_at',
  ),
  patients: table(
    'id mrn public_uuid given_name family_name date_of_birth sex deceased_on time_zone created_at updated_at',
    'id mrn',
  ),
  contact_points: table('id patient_id staff_member_id kind value is_preferred created_at updated_at'),
  patient_identifiers: table('id patient_id system value created_at updated_at'),
  consents: table('id public_uuid patient_id scope granted withdrawn_at evidence recorded_at'),
  patient_proxies: table('id patient_id proxy_id relationship is_guardian scope granted evidence'),
  doctor_schedules: table('id doctor_id weekday start_time end_time effective room_id created_at updated_at'),
  doctor_time_off: table('id doctor_id starts_at ends_at reason created_at updated_at'),
  doctor_extra_sessions: table('id doctor_id starts_at ends_at room_id created_at updated_at'),
  appointment_overrides: table('id doctor_id patient_id span reason granted_at', 'id granted_at'),
  appointment_series: table(
    'id patient_id doctor_id appointment_type_id first_date local_time every_weeks occurrences skipped_dates created_at',
  ),
  appointments: table(
    'id public_uuid patient_id doctor_id department_id room_id appointment_type_id starts_at ends_at status reason ' +
      'cancelled_at cancellation_reason no_show_reason override_id series_id created_at updated_at',
  ),
  appointment_status_history: table('id appointment_id from_status to_status reason changed_at'),
  appointment_moves: table(
    'id appointment_id patient_id from_doctor_id to_doctor_id from_room_id to_room_id from_starts_at to_starts_at ' +
      'from_ends_at to_ends_at moved_at',
  ),
  appointment_staff: table(
    'appointment_id patient_id staff_member_id job busy status assigned_at',
    'patient_id job busy status',
  ),
  waitlist_entries: table(
    'id patient_id appointment_type_id department_id doctor_id starts_from starts_before priority status joined_at updated_at',
  ),
  visits: table(
    'id record_uuid appointment_id patient_id doctor_id started_at ended_at diagnosis notes version ' +
      'amendment_reason created_at updated_at',
  ),
  visit_versions: table('visit_id version patient_id diagnosis notes replaced_at'),
  visit_diagnoses: table('id visit_id patient_id diagnosis_code_id rank created_at updated_at'),
  patient_conditions: table(
    'id patient_id diagnosis_code_id visit_id onset_on abated_on created_at updated_at',
  ),
  prescriptions: table(
    'id visit_id patient_id medication_id prescribed_by dosage instructions start_date duration_days stopped_at ' +
      'stop_reason created_at updated_at',
  ),
  treatments: table(
    'id visit_id patient_id type cost notes started_at ended_at outcome created_at updated_at',
  ),
  clinical_notes: table(
    'id note_uuid record_uuid patient_id note_type author_id sensitivity addendum_to_id body version signed_at ' +
      'created_at updated_at',
  ),
  clinical_note_versions: table('note_id version patient_id sensitivity body replaced_at'),
  sensitivity_grants: table(
    'id patient_id staff_member_id sensitivity granted reason granted_by created_at updated_at',
  ),
  notifications: table('id reason message_id patient_id appointment_id subject body created_at sent_at'),
} as const;

export type TableName = keyof typeof tables;

export const tableNames = Object.keys(tables) as TableName[];

/** Rows of several tables that belong together. */
export class Batch {
  readonly rows = new Map<TableName, Row[]>();

  /** How much of the sizes asked for (patients, appointments) is in this batch. */
  progress = 0;

  add(name: TableName, row: Row): void {
    const rows = this.rows.get(name);
    if (rows) rows.push(row);
    else this.rows.set(name, [row]);
  }
}

/** Hands out the keys 1, 2, 3 … of each table. */
export class Keys {
  readonly #last = new Map<TableName, number>();

  next(name: TableName): number {
    const key = (this.#last.get(name) ?? 0) + 1;
    this.#last.set(name, key);
    return key;
  }
}
