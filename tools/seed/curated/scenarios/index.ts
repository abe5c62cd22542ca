import { abdomenCancerJoints } from './abdomen-cancer-joints.ts';
import { heartLungsMetabolism } from './heart-lungs-metabolism.ts';
import { nervesSensesFamilies } from './nerves-senses-families.ts';
import { primaryCare } from './primary-care.ts';
import type { Scenario } from './scenario.ts';

/** Every scenario there is. A test holds that each doctor's every patient fits one. */
export const scenarios: Scenario[] = [
  ...primaryCare,
  ...heartLungsMetabolism,
  ...abdomenCancerJoints,
  ...nervesSensesFamilies,
];
