import { perform, take, type Scenario } from './scenario.ts';

const primary = ['General practice', 'Family medicine', 'Internal medicine'];
const anyAge = ['General practice', 'Family medicine'];

/** What brings people to their first doctor. */
export const primaryCare: Scenario[] = [
  {
    specialties: primary,
    ages: [35, 110],
    chronic: true,
    reason: 'Blood pressure check',
    codes: ['I10'],
    diagnosis: 'Essential hypertension, treated',
    notes:
      'Home readings reviewed. No headache, chest pain or swelling. Salt intake discussed; continue treatment.',
    prescriptions: [
      [take('314076', '10 mg once daily', 90, 'Take in the morning. Report a persistent dry cough.')],
      [take('197361', '5 mg once daily', 90, 'Report swelling of the ankles.')],
      [take('979492', '50 mg once daily', 90, 'Take at the same time every day.')],
      [take('310798', '25 mg once daily', 90, 'Take in the morning.')],
    ],
    treatments: [perform('Blood pressure check', 25, 45, 10), perform('Basic metabolic panel', 40, 75, 5)],
  },
  {
    specialties: [...primary, 'Endocrinology'],
    ages: [35, 110],
    chronic: true,
    reason: 'Diabetes follow-up',
    codes: ['E11.9', 'Z79.899'],
    diagnosis: 'Type 2 diabetes without complications',
    notes: 'Glucose diary reviewed. Feet without lesions, sensation intact. Diet and walking encouraged.',
    prescriptions: [
      [take('861007', '500 mg twice daily', 90, 'Take with meals.')],
      [
        take('861004', '1000 mg twice daily', 90, 'Take with meals.'),
        take('310490', '5 mg once daily', 90, 'Take 30 minutes before breakfast.'),
      ],
    ],
    treatments: [perform('Hemoglobin A1c test', 35, 60, 5), perform('Foot examination', 30, 50, 10)],
  },
  {
    specialties: [...primary, 'Cardiology'],
    ages: [35, 110],
    chronic: true,
    reason: 'Cholesterol follow-up',
    codes: ['E78.5'],
    diagnosis: 'Hyperlipidemia',
    notes: 'Fasting lipids discussed. No muscle pain under treatment. Continue statin, repeat in six months.',
    prescriptions: [
      [take('617310', '20 mg once daily in the evening', 90, 'Report unexplained muscle pain.')],
      [take('859747', '10 mg once daily', 90, 'Report unexplained muscle pain.')],
    ],
    treatments: [perform('Lipid panel', 45, 80, 5)],
  },
  {
    specialties: [...primary, 'Endocrinology'],
    ages: [20, 110],
    chronic: true,
    reason: 'Thyroid check',
    codes: ['E03.9'],
    diagnosis: 'Hypothyroidism',
    notes: 'Energy stable, weight unchanged. Dose kept; thyroid function to be repeated.',
    prescriptions: [
      [take('966221', '50 mcg once daily', 90, 'Take on an empty stomach, 30 minutes before breakfast.')],
      [take('966222', '75 mcg once daily', 90, 'Take on an empty stomach, 30 minutes before breakfast.')],
    ],
    treatments: [perform('Thyroid function test', 50, 85, 5)],
  },
  {
    specialties: [...anyAge, 'Pediatrics', 'Emergency medicine'],
    ages: [0, 110],
    reason: 'Cough and runny nose',
    codes: ['J06.9'],
    diagnosis: 'Viral upper respiratory infection',
    notes: 'Three days of cough and congestion. Lungs clear. Fluids and rest; return if fever lasts.',
    prescriptions: [[]],
    treatments: [perform('Influenza test', 35, 60, 10)],
  },
  {
    specialties: [...primary, 'Emergency medicine'],
    ages: [18, 110],
    reason: 'Burning when passing water',
    codes: ['N39.0'],
    diagnosis: 'Urinary tract infection',
    notes: 'Two days of burning and urgency, no fever, no flank pain. Urinalysis positive.',
    prescriptions: [
      [take('198335', '1 tablet twice daily', 3, 'Drink plenty of water. Finish the course.')],
      [take('311995', '100 mg four times daily', 5, 'Take with food. Finish the course.')],
    ],
    treatments: [perform('Urinalysis', 20, 40, 5)],
  },
  {
    specialties: primary,
    ages: [18, 110],
    reason: 'Annual physical',
    codes: ['Z00.00', 'Z23'],
    diagnosis: 'Annual examination without abnormal findings',
    notes: 'Preventive visit. Screening up to date. Vaccination offered and given.',
    prescriptions: [[]],
    treatments: [
      perform('Complete blood count', 25, 45, 5),
      perform('Lipid panel', 45, 80, 5),
      perform('Influenza vaccination', 30, 45, 5),
    ],
  },
  {
    specialties: [...anyAge, 'Pediatrics'],
    ages: [0, 17],
    reason: 'Well-child visit',
    codes: ['Z00.129', 'Z23'],
    diagnosis: 'Routine child examination without abnormal findings',
    notes:
      'Growth along the curve, development appropriate for age. Sleep and nutrition discussed with the family.',
    prescriptions: [[]],
    treatments: [perform('Developmental screening', 30, 55, 15), perform('Childhood vaccination', 35, 90, 5)],
  },
  {
    specialties: [...primary, 'Emergency medicine', 'Physical therapy'],
    ages: [18, 110],
    reason: 'Low back pain',
    codes: ['M54.50'],
    diagnosis: 'Low back pain without red flags',
    notes: 'Pain after lifting, no leg weakness, no bladder trouble. Keep moving; exercises shown.',
    prescriptions: [
      [take('198014', '500 mg twice daily as needed', 14, 'Take with food.')],
      [
        take('828348', '10 mg at bedtime', 7, 'May cause drowsiness; do not drive.'),
        take('198440', '1000 mg every 8 hours as needed', 10, 'No more than 3000 mg a day.'),
      ],
    ],
    treatments: [perform('Therapeutic exercise', 60, 110, 15)],
  },
  {
    specialties: [...primary, 'Psychiatry'],
    ages: [18, 110],
    chronic: true,
    reason: 'Low mood',
    codes: ['F33.1'],
    diagnosis: 'Recurrent depression, moderate',
    notes: 'Sleep and appetite improving. No thoughts of self-harm. Continue treatment and counseling.',
    prescriptions: [
      [take('312941', '50 mg once daily', 60, 'It may take four weeks to work. Do not stop suddenly.')],
      [take('312938', '100 mg once daily', 60, 'Do not stop suddenly.')],
    ],
    treatments: [perform('Depression screening', 20, 40, 10)],
  },
  {
    specialties: primary,
    ages: [18, 90],
    reason: 'Wants to stop smoking',
    codes: ['F17.210'],
    diagnosis: 'Nicotine dependence, cigarettes',
    notes: 'Motivated to stop; a date was agreed. Support line given.',
    prescriptions: [[]],
    treatments: [perform('Smoking cessation counseling', 35, 70, 15)],
  },
  {
    specialties: [...anyAge, 'Pediatrics', 'Emergency medicine', 'Otolaryngology'],
    ages: [3, 45],
    reason: 'Sore throat',
    codes: ['J02.0'],
    diagnosis: 'Streptococcal pharyngitis',
    notes:
      'Fever and sore throat for two days, rapid test positive. No trouble breathing or swallowing fluids.',
    prescriptions: [
      [take('308182', '250 mg three times daily', 10, 'Finish the course even when better.')],
      [take('834061', '250 mg twice daily', 10, 'Take on an empty stomach. Finish the course.')],
    ],
    treatments: [perform('Rapid strep test', 25, 45, 10)],
  },
];
