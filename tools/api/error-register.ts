/**
 * The register of everything that may go wrong, as a client sees it: a stable code and a safe sentence.
 * The database names a condition by SQLSTATE or by constraint; nothing else of its errors leaves the server.
 * docs/error-codes.md is generated from this file (error-page.ts), and tests compare it with the catalogue.
 */
export interface ErrorEntry {
  /** What a program matches on; never renamed once published. */
  code: string;
  /** What a person reads. */
  message: string;
}

/** Refusals that the API itself makes. */
export const API_ERRORS = {
  UNAUTHENTICATED: 'The token is missing, expired or not valid. Log in again.',
  LOGIN_REFUSED: 'The e-mail address and the password do not open an account.',
  REFRESH_REFUSED: 'The session cannot be renewed. Log in again.',
  FORBIDDEN: 'You may not do this.',
  ORIGIN_REFUSED: 'This request comes from another site and was refused.',
  DOCUMENT_NOT_ALLOWED: 'This server answers only its registered documents; send the documentId of one.',
  QUERY_TOO_DEEP: 'The query is nested too deeply.',
  QUERY_TOO_LONG: 'The query is too long.',
  QUERY_TOO_EXPENSIVE: 'The query asks for too much at once; ask for fewer rows or fields.',
  PAGE_TOO_LARGE: 'A page may not be that large; ask for fewer rows with first or last.',
  PAGE_SIZE_REQUIRED: 'Say how many rows you want with first or last.',
  TOO_MANY_MUTATIONS: 'A request may not carry that many mutations.',
  TOO_MANY_FIELDS: 'A request may not ask that many questions at once.',
  TOO_MANY_ALIASES: 'A request may not use that many aliases.',
  TOO_MANY_OPERATIONS: 'A connection may not run that many operations at once.',
  TOO_MANY_ATTEMPTS: 'Too many log-ins from your network were refused. Try again in a quarter of an hour.',
  BAD_REQUEST: 'The request could not be read.',
  NOT_FOUND: 'There is nothing here.',
  METHOD_NOT_ALLOWED: 'This address does not accept that method.',
  MEDIA_TYPE_REFUSED: 'Only JSON is read: application/json in UTF-8, not compressed.',
  REQUEST_TOO_LARGE: 'The request is too large.',
  TIMEOUT: 'The answer took too long and was given up. Ask for less, or try again.',
  UNAVAILABLE: 'The database cannot be reached just now. Try again in a moment.',
  INTERNAL_ERROR: 'Something went wrong here. Quote the request id when you report it.',
} as const satisfies Record<string, string>;
export type ApiErrorCode = keyof typeof API_ERRORS;

/**
 * Conditions raised by the hospital's own functions, by SQLSTATE. Their own message and hint, which are
 * constants in the source (a test sees to it), reach the client; the sentence here stands for all of them.
 */
export const CONDITIONS: Readonly<Record<string, ErrorEntry>> = {
  IDKEY: { code: 'KEY_REUSED', message: 'This key was used for another request.' },
  INWAY: { code: 'APPOINTMENTS_IN_THE_WAY', message: 'Appointments are in the way of this change.' },
  ISOLN: { code: 'ISOLATION_REFUSED', message: 'This is done under READ COMMITTED only.' },
  KEPTT: { code: 'RECORD_IS_KEPT', message: 'This record stays as it was written.' },
  KEYNO: { code: 'AUDIT_KEY_MISSING', message: 'The record of changes cannot be kept just now.' },
  KEYOT: { code: 'AUDIT_KEY_REFUSED', message: 'The record of changes cannot be kept just now.' },
  LEGHD: { code: 'LEGAL_HOLD', message: 'A legal hold is on this record.' },
  LIMIT: { code: 'DAY_FULL', message: 'The doctor takes no more appointments on that day.' },
  MERGD: { code: 'MERGE_REFUSED', message: 'One of the two records is part of another merge.' },
  MISSA: { code: 'ARGUMENT_MISSING', message: 'Something that is needed was not given.' },
  NGUES: { code: 'TOO_MANY_GUESSES', message: 'You have named too many patients there are not.' },
  NHOLD: { code: 'TOO_MANY_HOLDS', message: 'The patient holds as many times as one may hold at once.' },
  NOTBK: { code: 'NOT_BOOKABLE', message: 'This doctor, patient or type of appointment cannot be booked.' },
  NOTES: { code: 'NOTE_MALFORMED', message: 'The note does not have the sections of its type.' },
  NOTIC: { code: 'NOTICE_TOO_SHORT', message: 'It is too late to book that time.' },
  NQUEU: { code: 'JOB_QUEUE_MISSING', message: 'The job queue is not installed.' },
  NTFND: { code: 'NOT_FOUND', message: 'There is no such thing, or none that you may see.' },
  OUTWH: { code: 'OUTSIDE_WORKING_HOURS', message: 'The doctor does not work at that time.' },
  PASTT: { code: 'TIME_PASSED', message: 'That time has passed.' },
  PATBU: { code: 'PATIENT_BUSY', message: 'The patient has another appointment at that time.' },
  PERMA: { code: 'AUDIT_IS_PERMANENT', message: 'What is on record is not changed.' },
  PRMSN: { code: 'FORBIDDEN', message: 'Your role may not do this.' },
  PROXY: { code: 'PROXY_REFUSED', message: 'This proxy is not yours to grant or to withdraw.' },
  PWLEN: { code: 'PASSWORD_TOO_LONG', message: 'The password is too long.' },
  RETEN: { code: 'MUST_BE_KEPT', message: 'The record must be kept for now.' },
  RETRY: { code: 'TRY_AGAIN', message: 'Somebody else is changing the same calendar. Try again.' },
  ROOMT: { code: 'ROOM_TAKEN', message: 'The room is taken at that time.' },
  RSTRC: { code: 'CHART_RESTRICTED', message: 'The patient has restricted access to this chart.' },
  RVIEW: { code: 'REVIEW_PENDING', message: 'An earlier emergency access waits for its review.' },
  SESSN: { code: 'SESSION_IN_THE_WAY', message: 'An extra session lies in that time.' },
  SIGND: { code: 'RECORD_SIGNED', message: 'What was signed stays as it is.' },
  SLOTT: { code: 'SLOT_TAKEN', message: 'That time is already taken.' },
  SPANL: { code: 'SPAN_TOO_LONG', message: 'The span is too long.' },
  SRIES: { code: 'SERIES_IMPOSSIBLE', message: 'The series cannot be booked as asked.' },
  STAFB: { code: 'STAFF_BUSY', message: 'A member of staff is busy at that time.' },
  TOFAR: { code: 'TOO_FAR_AHEAD', message: 'That time is too far ahead to be booked.' },
  TRNSN: { code: 'STATUS_CHANGE_REFUSED', message: 'The status does not allow this now.' },
  UNAUT: { code: 'UNAUTHENTICATED', message: 'Log in first.' },
  UNCLA: {
    code: 'NOT_CLASSIFIED',
    message: 'A column is not classified, so no certificate would be true.',
  },
  UNKWN: { code: 'CODE_UNKNOWN', message: 'That code is not on the list.' },
  VERIF: { code: 'AUDIT_BROKEN', message: 'The record of changes does not hold.' },
  WEAKP: { code: 'PASSWORD_TOO_SHORT', message: 'The password is too short.' },
  WISHN: { code: 'TOO_MANY_WISHES', message: 'The patient waits for as many things as one may at once.' },
  WORKS: {
    code: 'ACCOUNT_OF_COLLEAGUE',
    message: 'This patient works here and logs in with the same account.',
  },
  XERAS: { code: 'RECORD_ERASED', message: 'This person was erased.' },
  XHOLD: { code: 'HOLD_EXPIRED', message: 'The hold has run out.' },
};

/** Constraints a client may run into, by name; those not listed fall into their family below. */
export const CONSTRAINTS: Readonly<Record<string, ErrorEntry>> = {
  accounts_email_key: {
    code: 'EMAIL_TAKEN',
    message: 'There is an account with this e-mail address already.',
  },
  accounts_email_plausible: { code: 'EMAIL_REFUSED', message: 'This is not an e-mail address.' },
  appointment_overrides_reason_fkey: { code: 'CODE_UNKNOWN', message: 'That reason is not on the list.' },
  appointment_overrides_span_bounded: {
    code: 'TIME_REFUSED',
    message: 'An override covers three days at most.',
  },
  appointment_series_every_weeks_plausible: {
    code: 'VALUE_REFUSED',
    message: 'Between two of a series lie 1 to 52 weeks.',
  },
  appointment_series_is_finite: { code: 'VALUE_REFUSED', message: 'A series has 1 to 52 appointments.' },
  appointment_staff_never_double_booked: {
    code: 'STAFF_BUSY',
    message: 'A member of staff is busy at that time.',
  },
  appointment_status_history_transition_allowed: {
    code: 'STATUS_CHANGE_REFUSED',
    message: 'An appointment cannot change from its status to that one.',
  },
  appointments_cancellation_reason_fkey: { code: 'CODE_UNKNOWN', message: 'That reason is not on the list.' },
  appointments_doctor_never_double_booked: { code: 'SLOT_TAKEN', message: 'That time is already taken.' },
  appointments_end_after_start: { code: 'TIME_ORDER', message: 'The end must come after the start.' },
  appointments_no_show_reason_fkey: { code: 'CODE_UNKNOWN', message: 'That reason is not on the list.' },
  appointments_only_offers_are_refused: {
    code: 'VALUE_REFUSED',
    message: 'Only an offer is refused.',
  },
  appointments_patient_never_double_booked: {
    code: 'PATIENT_BUSY',
    message: 'The patient has another appointment at that time.',
  },
  appointments_reason_not_too_long: {
    code: 'TEXT_TOO_LONG',
    message: 'The reason may have 1000 characters at most.',
  },
  appointments_room_never_double_booked: { code: 'ROOM_TAKEN', message: 'The room is taken at that time.' },
  break_glass_grants_never_twice_at_once: {
    code: 'ALREADY_EXISTS',
    message: 'You have emergency access to this chart already.',
  },
  break_glass_grants_one_before_review: {
    code: 'REVIEW_PENDING',
    message: 'An earlier emergency access waits for its review.',
  },
  break_glass_grants_outcome_fkey: { code: 'CODE_UNKNOWN', message: 'That outcome is not on the list.' },
  break_glass_grants_remark_of_a_review: {
    code: 'TEXT_TOO_LONG',
    message: 'The remark may have 1000 characters at most.',
  },
  chart_accesses_purpose_fkey: { code: 'CODE_UNKNOWN', message: 'That purpose is not on the list.' },
  consents_evidence_not_too_long: {
    code: 'TEXT_TOO_LONG',
    message: 'The evidence may have 1000 characters at most.',
  },
  consents_name_one_actor: {
    code: 'VALUE_REFUSED',
    message: 'A consent names a person or a department, not both.',
  },
  consents_never_twice_at_once: { code: 'ALREADY_EXISTS', message: 'This consent stands already.' },
  consents_recorded_for_the_patient_with_evidence: {
    code: 'EVIDENCE_MISSING',
    message: 'Say what shows that the patient wants this.',
  },
  consents_scope_names_its_actor: {
    code: 'VALUE_REFUSED',
    message: 'This consent names the wrong kind of actor, or none.',
  },
  clinical_notes_addendum_is_of_a_note: {
    code: 'VALUE_REFUSED',
    message: 'An addendum names the note it adds to, and no other note names one.',
  },
  clinical_notes_addendum_shares_record_and_sensitivity: {
    code: 'REFERENCE_UNKNOWN',
    message: 'An addendum is of the same visit and sensitivity as its note.',
  },
  clinical_notes_body_bounded: {
    code: 'TEXT_TOO_LONG',
    message: 'The body of a note is an object of 65536 bytes at most.',
  },
  clinical_notes_sensitivity_fkey: { code: 'CODE_UNKNOWN', message: 'That sensitivity is not on the list.' },
  clinical_notes_void_reason_not_too_long: {
    code: 'TEXT_TOO_LONG',
    message: 'The reason may have 1000 characters at most.',
  },
  audit_openings_reason_says_something: {
    code: 'VALUE_REFUSED',
    message: 'Say in 10 to 500 characters why the audit is opened.',
  },
  contact_points_email_plausible: { code: 'EMAIL_REFUSED', message: 'This is not an e-mail address.' },
  contact_points_phone_plausible: { code: 'PHONE_REFUSED', message: 'This is not a telephone number.' },
  contact_points_value_not_blank: {
    code: 'CONTACT_REFUSED',
    message: 'A contact needs 1 to 300 characters.',
  },
  doctor_extra_sessions_end_after_start: {
    code: 'TIME_ORDER',
    message: 'The end must come after the start.',
  },
  doctor_extra_sessions_never_overlap: {
    code: 'SESSIONS_OVERLAP',
    message: 'The doctor has an extra session in that time already.',
  },
  doctor_extra_sessions_times_finite: {
    code: 'TIME_REFUSED',
    message: 'A session has a beginning and an end.',
  },
  doctor_schedules_effective_not_empty: { code: 'TIME_ORDER', message: 'The hours end before they begin.' },
  doctor_schedules_never_overlap: { code: 'SHIFTS_OVERLAP', message: 'Two shifts of the week overlap.' },
  doctor_schedules_weekday_is_iso: {
    code: 'WEEKDAY_REFUSED',
    message: 'A weekday is 1 for Monday to 7 for Sunday.',
  },
  doctor_schedules_whole_minutes: {
    code: 'TIME_REFUSED',
    message: 'Shifts begin and end on whole minutes.',
  },
  doctor_time_off_ends_after_start: { code: 'TIME_ORDER', message: 'The end must come after the start.' },
  doctor_time_off_reason_fkey: { code: 'CODE_UNKNOWN', message: 'That reason is not on the list.' },
  doctor_time_off_times_finite: { code: 'TIME_REFUSED', message: 'An absence has a beginning and an end.' },
  doctors_licence_key: { code: 'LICENCE_TAKEN', message: 'There is a doctor with this licence already.' },
  doctors_licence_not_blank: { code: 'LICENCE_REFUSED', message: 'A licence needs 1 to 40 characters.' },
  doctors_practising_since_plausible: {
    code: 'DATE_REFUSED',
    message: 'Practice cannot have begun before 1930 or in the future.',
  },
  doctors_specialization_fkey: { code: 'CODE_UNKNOWN', message: 'That specialty is not on the list.' },
  idempotency_keys_key_plausible: {
    code: 'KEY_REFUSED',
    message: 'A key for repeating a request has 8 to 200 characters.',
  },
  erasures_reason_fkey: { code: 'CODE_UNKNOWN', message: 'That reason is not on the list.' },
  legal_holds_matter_not_blank: {
    code: 'MATTER_REFUSED',
    message: 'The matter of a hold needs 1 to 200 characters.',
  },
  legal_holds_one_of_patient_and_matter: {
    code: 'HOLD_EXISTS',
    message: 'The patient has a hold for this matter already.',
  },
  legal_holds_reason_not_blank: {
    code: 'REASON_REFUSED',
    message: 'A hold needs a reason of 1 to 1000 characters.',
  },
  legal_holds_release_has_reason: {
    code: 'REASON_REFUSED',
    message: 'A hold is released with a reason.',
  },
  legal_holds_release_reason_not_too_long: {
    code: 'TEXT_TOO_LONG',
    message: 'The reason may have 1000 characters at most.',
  },
  patient_conditions_abated_after_onset: {
    code: 'TIME_ORDER',
    message: 'A condition cannot end before it began.',
  },
  patient_merges_reason_not_blank: {
    code: 'REASON_REFUSED',
    message: 'The reason needs 1 to 500 characters.',
  },
  patient_proxies_evidence_not_blank: {
    code: 'EVIDENCE_REFUSED',
    message: 'The evidence needs 1 to 500 characters.',
  },
  patient_proxies_guardian_has_evidence: {
    code: 'EVIDENCE_REFUSED',
    message: 'A parent or guardian is entered against a document.',
  },
  patient_proxies_one_grant_at_a_time: {
    code: 'ALREADY_EXISTS',
    message: 'This person acts for the patient already.',
  },
  patient_proxies_scope_fkey: { code: 'CODE_UNKNOWN', message: 'That scope is not on the list.' },
  patients_date_of_birth_plausible: {
    code: 'DATE_REFUSED',
    message: 'A date of birth lies between 1870 and today.',
  },
  patients_died_after_birth: { code: 'TIME_ORDER', message: 'Death cannot come before birth.' },
  patients_merged_into_a_survivor: {
    code: 'MERGE_REFUSED',
    message: 'One of the two records is part of another merge.',
  },
  patients_mrn_key: {
    code: 'RECORD_NUMBER_TAKEN',
    message: 'There is a patient with this record number already.',
  },
  patients_name_not_blank: {
    code: 'NAME_REFUSED',
    message: 'Given and family name need 1 to 100 characters each.',
  },
  patients_not_merged_into_self: {
    code: 'MERGE_REFUSED',
    message: 'A record is not merged into itself.',
  },
  patients_sex_fkey: { code: 'CODE_UNKNOWN', message: 'That sex is not on the list.' },
  patients_time_zone_fkey: { code: 'CODE_UNKNOWN', message: 'That time zone is not on the list.' },
  prescriptions_dosage_not_blank: { code: 'DOSAGE_REFUSED', message: 'A dosage needs 1 to 200 characters.' },
  prescriptions_duration_positive: { code: 'DURATION_REFUSED', message: 'A duration is one day or more.' },
  prescriptions_instructions_not_too_long: {
    code: 'TEXT_TOO_LONG',
    message: 'The instructions may have 1000 characters at most.',
  },
  sensitivity_grants_never_to_oneself: {
    code: 'VALUE_REFUSED',
    message: 'Nobody grants access to himself.',
  },
  sensitivity_grants_only_where_needed: {
    code: 'VALUE_REFUSED',
    message: 'Notes of normal sensitivity need no grant.',
  },
  sensitivity_grants_reason_not_blank: {
    code: 'VALUE_REFUSED',
    message: 'A grant needs a reason of 1 to 1000 characters.',
  },
  sensitivity_grants_sensitivity_fkey: {
    code: 'CODE_UNKNOWN',
    message: 'That sensitivity is not on the list.',
  },
  sensitivity_grants_span_bounded: { code: 'TIME_REFUSED', message: 'A grant lasts 366 days at most.' },
  staff_members_name_not_blank: {
    code: 'NAME_REFUSED',
    message: 'Given and family name need 1 to 100 characters each.',
  },
  treatments_cost_not_negative: { code: 'COST_REFUSED', message: 'A cost cannot be negative.' },
  treatments_end_not_before_start: { code: 'TIME_ORDER', message: 'The end cannot come before the start.' },
  treatments_notes_not_too_long: {
    code: 'TEXT_TOO_LONG',
    message: 'The notes may have 5000 characters at most.',
  },
  treatments_outcome_fkey: { code: 'CODE_UNKNOWN', message: 'That outcome is not on the list.' },
  treatments_type_fkey: { code: 'CODE_UNKNOWN', message: 'That type of treatment is not on the list.' },
  visit_diagnoses_one_of_each_code: { code: 'ALREADY_EXISTS', message: 'A visit has each diagnosis once.' },
  visits_end_not_before_start: { code: 'TIME_ORDER', message: 'The end cannot come before the start.' },
  visits_one_per_appointment: { code: 'VISIT_EXISTS', message: 'This appointment has its visit already.' },
  visits_texts_not_too_long: {
    code: 'TEXT_TOO_LONG',
    message: 'A diagnosis may have 2000 and notes 20000 characters at most.',
  },
  waitlist_entries_priority_plausible: {
    code: 'VALUE_REFUSED',
    message: 'A priority is a number from 0 to 9.',
  },
  waitlist_entries_span_finite: {
    code: 'TIME_REFUSED',
    message: 'The span of starts has a beginning and an end.',
  },
  waitlist_entries_span_not_empty: {
    code: 'TIME_ORDER',
    message: 'The span of starts ends before it begins.',
  },
};

export interface ErrorFamily {
  name: string;
  matches: RegExp;
  entry: ErrorEntry;
}

/** Whole families of errors, matched when neither the condition nor the constraint is listed above. */
export const FAMILIES: readonly ErrorFamily[] = [
  family('a required value is null', /^23502$/, 'VALUE_MISSING', 'A value that is required is missing.'),
  family('a foreign key', /^23503$/, 'REFERENCE_UNKNOWN', 'Something this refers to does not exist.'),
  family('a unique key', /^23505$/, 'ALREADY_EXISTS', 'This exists already.'),
  family('a check', /^23514$/, 'VALUE_REFUSED', 'A value breaks a rule of the hospital.'),
  family('an exclusion', /^23P01$/, 'CONFLICT', 'This overlaps with something that exists already.'),
  family('a malformed value', /^22[0-9A-Z]{3}$/, 'BAD_VALUE', 'A value is not in the form that is expected.'),
  family('a missing right', /^42501$/, 'FORBIDDEN', API_ERRORS.FORBIDDEN),
  family('a time limit', /^57014$/, 'TIMEOUT', API_ERRORS.TIMEOUT),
  family(
    'a concurrent change',
    /^(40001|40P01|55P03)$/,
    'TRY_AGAIN',
    'Somebody changed the same at the same moment. Try again.',
  ),
  family('a limit of the server', /^54[0-9A-Z]{3}$/, 'QUERY_TOO_EXPENSIVE', API_ERRORS.QUERY_TOO_EXPENSIVE),
  family(
    'a lost connection',
    /^(08[0-9A-Z]{3}|53[0-9A-Z]{3}|57P0[0-9])$/,
    'UNAVAILABLE',
    API_ERRORS.UNAVAILABLE,
  ),
];

function family(name: string, matches: RegExp, code: string, message: string): ErrorFamily {
  return { name, matches, entry: { code, message } };
}

/** The entry for an error of the database, or undefined when nobody foresaw it. */
export function lookUp(sqlstate: string, constraint?: string): ErrorEntry | undefined {
  const named = constraint === undefined ? undefined : CONSTRAINTS[constraint];
  return CONDITIONS[sqlstate] ?? named ?? FAMILIES.find((kind) => kind.matches.test(sqlstate))?.entry;
}
