-- What a patient complains of, beside the words about it: a list can be counted.
insert into hospital.note_sections (note_type, key, title, value_type, is_required, sort_order) values
  ('progress_note', 'symptoms', 'Symptoms', 'array', false, 5),
  ('history_and_physical', 'symptoms', 'Symptoms', 'array', false, 7),
  ('consultation_note', 'symptoms', 'Symptoms', 'array', false, 4);
