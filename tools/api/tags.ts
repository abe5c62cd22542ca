import type { GraphileConfig } from 'graphile-config';
import { pgSmartTags, type PgSmartTagRule } from 'postgraphile/utils';

/**
 * What the rules of naming.ts cannot know, as smart tags kept here: the comments in the catalogue are
 * documentation for people.
 */
export const TagsPlugin: GraphileConfig.Plugin = pgSmartTags([
  // The API turns these two into a signed token; a refusal is an error, so the outcome says nothing new.
  hide('login_result', 'session_id'),
  hide('login_result', 'session_secret'),
  hide('login_result', 'outcome'),

  // Derived for the benefit of constraints.
  hide('appointments', 'busy'),
  hide('doctors', 'job'),
  hide('appointment_staff', 'busy'),
  hide('appointment_staff', 'status'),
  hide('appointment_staff', 'job'),

  // Accounts are nobody's business; the member of staff beside them has the name.
  hide('break_glass_grants', 'account_id'),
  hide('break_glass_grants', 'reviewed_by'),
  hide('break_glass_grants', 'bars_next'),
  hide('consents', 'recorded_by'),
  hide('consents', 'withdrawn_by'),
  hide('consents', 'actor'),

  relation('prescriptions', 'prescriptions_prescribed_by_fkey', 'prescriber', 'prescriptions'),
  relation('patients', 'patients_merged_into_a_survivor', 'mergedInto', 'duplicates'),
  relation('patient_proxies', 'patient_proxies_patient_id_fkey', 'patient', 'proxies'),
  relation('patient_proxies', 'patient_proxies_proxy_id_fkey', 'proxy', 'proxyFor'),
  // The relationship is a code, and the code is the word.
  {
    kind: 'constraint',
    match: 'hospital.patient_proxies.patient_proxies_of_a_known_kind',
    tags: { behavior: '-*' },
  },
  relation('patient_merges', 'patient_merges_duplicate_id_fkey', 'duplicate', 'merges'),
  relation('patient_merges', 'patient_merges_survivor_id_fkey', 'survivor', 'mergesHere'),
  relation('staff_members', 'staff_members_manager_id_fkey', 'manager', 'reports'),

  // A field of the change, and no question of its own.
  {
    kind: 'procedure',
    match: 'hospital.calendar_change_appointments',
    tags: { behavior: '-queryField typeField' },
  },

  // Indexed where they are set, which the library does not count as an index.
  ...[
    relation('appointments', 'appointments_series_is_the_patients', 'series', 'appointments'),
    relation('appointments', 'appointments_override_is_for_doctor_and_patient', 'override', 'appointments'),
    relation('appointments', 'appointments_waitlist_entry_is_the_patients', 'waitlistEntry', 'offers'),
  ].map((rule) => ({ ...rule, tags: { ...rule.tags, isIndexed: true as const } })),
  relation('appointment_staff', 'appointment_staff_follows_the_appointment', 'appointment', 'staff'),
  relation('appointment_staff', 'appointment_staff_is_staff_with_job', 'staffMember', 'appointments'),
  relation('appointment_moves', 'appointment_moves_from_doctor_id_fkey', 'fromDoctor', 'movesAway'),
  relation('appointment_moves', 'appointment_moves_to_doctor_id_fkey', 'toDoctor', 'movesHere'),
  relation('appointment_moves', 'appointment_moves_from_room_id_fkey', 'fromRoom', 'movesAway'),
  relation('appointment_moves', 'appointment_moves_to_room_id_fkey', 'toRoom', 'movesHere'),

  relation('clinical_notes', 'clinical_notes_belong_to_the_visits_patient', 'visit', 'clinicalNotes'),
  relation('clinical_notes', 'clinical_notes_author_id_fkey', 'author', 'clinicalNotes'),
  relation(
    'clinical_notes',
    'clinical_notes_addendum_shares_record_and_sensitivity',
    'addendumTo',
    'addenda',
  ),
  relation(
    'clinical_note_versions',
    'clinical_note_versions_belong_to_the_notes_patient',
    'note',
    'versions',
  ),
  relation('sensitivity_grants', 'sensitivity_grants_granted_by_fkey', 'granter', 'sensitivityGrantsGiven'),

  // A doctor's department is that of the member of staff he is.
  tag('class', 'doctors', {
    ref: 'department singular via:(staff_member_id,job)->hospital.staff_members(id,job);(department_id)->hospital.departments(id)',
  }),

  // What hangs off a visit names its patient in a wider key; the way to the patient is short all the same.
  ...['visits', 'visit_diagnoses', 'prescriptions', 'treatments', 'clinical_notes'].map((table) =>
    tag('class', table, { foreignKey: '(patient_id) references hospital.patients (id)' }),
  ),
]);

function tag(kind: 'class', match: string, tags: Record<string, string>): PgSmartTagRule {
  return { kind, match: `hospital.${match}`, tags };
}

function hide(type: string, attribute: string): PgSmartTagRule {
  return { kind: 'attribute', match: `hospital.${type}.${attribute}`, tags: { behavior: '-*' } };
}

function relation(
  table: string,
  constraint: string,
  fieldName: string,
  foreignFieldName: string,
): PgSmartTagRule {
  return {
    kind: 'constraint',
    match: `hospital.${table}.${constraint}`,
    tags: { fieldName, foreignFieldName },
  };
}
