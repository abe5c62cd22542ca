import { faker } from '@faker-js/faker/locale/en_US';
import type { Random } from './random.ts';

// Faker draws some 90 thousand fields a second; its word lists under our own generator, a million rows.
const { first_name: firstNames, last_name: lastNames } = faker.definitions.person;
const given = { female: firstNames.female ?? [], male: firstNames.male ?? [], any: firstNames.generic ?? [] };
const family = lastNames.generic ?? [];

/** Surnames that are common around Boston and rare in faker's list. */
const bostonian = (
  'Sullivan Murphy McCarthy Brennan Walsh Donovan Kelleher Flaherty Doherty Mahoney Lynch Russo DeLuca Marino ' +
  'Esposito Bianchi Silva Fonseca Tavares Gomes Barros Medeiros Oliveira Souza Costa Pierre Baptiste Jean-Louis ' +
  'Desir Augustin Charles Rivera Santiago Rodriguez Ortiz Peralta Guzman Castillo Mejia Hernandez Nguyen Tran ' +
  'Pham Le Chen Wong Chan Li Zhang Huang Kim Park Patel Sharma Singh Haddad Ahmed Hassan Petrov Goldberg Shapiro ' +
  'Levine Kaplan Washington Jackson Robinson Coleman Brooks Mensah Okafor Diallo Pelletier Gagnon Lavoie Thibodeau'
).split(' ');

/** A given and a family name. */
export function personName(random: Random, sex: string): [string, string] {
  const list = sex === 'female' ? given.female : sex === 'male' ? given.male : given.any;
  return [random.pick(list), random.chance(0.45) ? random.pick(bostonian) : random.pick(family)];
}

/** A street address without the town. */
export function streetAddress(random: Random): string {
  const number = random.between(2, 980);
  const name = random.chance(0.6)
    ? random.pick(streets)
    : `${random.pick(family)} ${random.pick(['Street', 'Road', 'Avenue', 'Lane'])}`;
  return random.chance(0.3) ? `${number} ${name}, Apt ${random.between(1, 40)}` : `${number} ${name}`;
}

const streets = [
  'Main Street',
  'Washington Street',
  'Pleasant Street',
  'Centre Street',
  'School Street',
  'Elm Street',
  'Beacon Street',
  'Summer Street',
  'Park Street',
  'High Street',
  'Maple Street',
  'Union Street',
  'Highland Avenue',
  'Adams Street',
  'Franklin Street',
  'Chestnut Street',
];

/** A telephone number from the range that is never given to anybody. */
export function phoneNumber(random: Random, areaCode: string): string {
  return `(${areaCode}) 555-01${String(random.below(100)).padStart(2, '0')}`;
}

/** An address in a domain reserved for examples. */
export function emailAddress(givenName: string, familyName: string, key: number, domain: string): string {
  const local = `${givenName}.${familyName}`
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z.]/g, '');
  return `${local}${key}@${domain}`;
}
