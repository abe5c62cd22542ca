import { dateText, dayOf, instantAt, instantText } from './calendar.ts';
import { furnish, type Department } from './building.ts';
import * as curated from './curated/read.ts';
import { arrangeHours, type Hours } from './hours.ts';
import { demonstrationPeople } from './logins.ts';
import { emailAddress, personName, phoneNumber } from './names.ts';
import type { Random } from './random.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

/** A doctor who can be booked. */
export interface Doctor {
  id: number;
  /** The member of staff he is. */
  staffId: number;
  /** One of curated/staff.csv. */
  isCurated: boolean;
  departmentId: number;
  department: string;
  facility: string;
  roomId: number;
  /** The nurses of the facility. */
  nurses: readonly number[];
  specialty: string;
  hours: Hours;
  /** How much more than others this one is asked for. */
  popularity: number;
}

interface Person {
  givenName: string;
  familyName: string;
  job: string;
  department: Department;
  managerId: number | null;
  hiredOn: string;
  /** Of a doctor. */
  specialty?: string;
  practisingSince?: string;
  isCurated: boolean;
}

/** Staff of the main hospital by name, doctors up to the number asked for, a nurse and a receptionist per site. */
export function employ(world: World, batch: Batch, departments: Department[]): Doctor[] {
  const random = world.random(2);
  const people = [...curatedStaff(departments)];
  addDoctors(world, random, departments, people);
  addTeams(world, random, departments, people);
  const doctors = people.filter(({ job }) => job === 'doctor');
  const count = new Map<number, number>();
  for (const { department } of doctors) count.set(department.id, (count.get(department.id) ?? 0) + 1);
  furnish(world, batch, departments, count);
  const nurses = new Map<string, number[]>();
  people.forEach(({ job, department: { facility } }, index) => {
    if (job === 'nurse') nurses.set(facility, [...(nurses.get(facility) ?? []), index + 1]);
  });
  const places = new Map<number, number>();
  return people.flatMap((person, index) => {
    writePerson(world, batch, random, person, index + 1);
    if (person.job !== 'doctor') return [];
    const place = places.get(person.department.id) ?? 0;
    places.set(person.department.id, place + 1);
    const roomId = person.department.rooms[place] as number;
    const team = nurses.get(person.department.facility) ?? [];
    return writeDoctor(world, batch, random, person, index + 1, roomId, team) ?? [];
  });
}

function curatedStaff(departments: Department[]): Person[] {
  const main = new Map(
    departments.filter(({ isMain }) => isMain).map((department) => [department.name, department]),
  );
  const ids = new Map(curated.staff.map((row, index) => [`${row.given_name} ${row.family_name}`, index + 1]));
  return curated.staff.map((row) => ({
    givenName: row.given_name,
    familyName: row.family_name,
    job: row.job,
    department: main.get(row.department) as Department,
    managerId: ids.get(row.manager) ?? null,
    hiredOn: row.hired_on,
    isCurated: true,
    ...(row.specialty && { specialty: row.specialty, practisingSince: row.practising_since }),
  }));
}

/** Every site gets its doctor first, then every department of the main hospital another, then the sites' second. */
function addDoctors(world: World, random: Random, departments: Department[], people: Person[]): void {
  const bookable = departments.filter(({ specialty }) => specialty !== '');
  const posts = [
    ...bookable.filter(({ isMain, name }) => !isMain && name === 'Primary care'),
    ...bookable.filter(({ isMain }) => isMain),
    ...bookable.filter(({ isMain, name }) => !isMain && name !== 'Primary care'),
  ];
  const heads = new Map<string, number>();
  people.forEach((person, index) => {
    if (person.specialty && !heads.has(person.specialty)) heads.set(person.specialty, index + 1);
  });
  const curatedDoctors = people.filter(({ job }) => job === 'doctor').length;
  for (let index = 0; index < world.sizes.doctors - curatedDoctors; index++) {
    const department = posts[index % posts.length] as Department;
    const [givenName, familyName] = personName(random, random.pick(['female', 'male']));
    const practising = world.day - random.between(1500, 13_000);
    const hired = random.between(practising + 300, world.day - 800);
    people.push({
      givenName,
      familyName,
      job: 'doctor',
      department,
      managerId: heads.get(department.specialty) ?? null,
      hiredOn: dateText(hired),
      specialty: department.specialty,
      practisingSince: dateText(practising),
      isCurated: false,
    });
  }
}

function addTeams(world: World, random: Random, departments: Department[], people: Person[]): void {
  const managers = new Map(
    people.map((person, index) => [`${person.givenName} ${person.familyName}`, index + 1]),
  );
  for (const department of departments.filter(({ isMain }) => !isMain)) {
    for (const [job, manager] of [
      ['nurse', 'Adriana Lopes'],
      ['receptionist', 'Anthony Ferraro'],
    ] as const) {
      const [givenName, familyName] = personName(random, random.chance(0.8) ? 'female' : 'male');
      people.push({
        givenName,
        familyName,
        job,
        department,
        managerId: managers.get(manager) ?? null,
        hiredOn: dateText(world.day - random.between(100, 5000)),
        isCurated: false,
      });
    }
  }
}

function writePerson(world: World, batch: Batch, random: Random, person: Person, id: number): void {
  const created = instantText(instantAt(dayOf(person.hiredOn), 540));
  const { givenName, familyName, job, department, managerId, hiredOn } = person;
  world.keys.next('staff_members');
  batch.add('staff_members', [
    id,
    random.uuid(),
    givenName,
    familyName,
    job,
    department.id,
    managerId,
    hiredOn,
    created,
    created,
  ]);
  const contact = (kind: string, value: string): void =>
    batch.add('contact_points', [
      world.keys.next('contact_points'),
      null,
      id,
      kind,
      value,
      't',
      created,
      created,
    ]);
  contact('phone', phoneNumber(random, department.areaCode));
  contact('email', emailAddress(givenName, familyName, id, 'shawmut.example'));
}

/** Writes a doctor and returns who can be booked. The newest ones still wait to be approved. */
function writeDoctor(
  world: World,
  batch: Batch,
  random: Random,
  person: Person,
  staffId: number,
  roomId: number,
  nurses: readonly number[],
): Doctor | undefined {
  const id = world.keys.next('doctors');
  const { specialty = '', practisingSince = '', hiredOn, isCurated, department } = person;
  const hired = instantAt(dayOf(hiredOn), 540);
  const isApproved = isCurated || id % 60 !== 59;
  const created = instantText(isApproved ? hired : world.now - random.between(600, 9000));
  const licence = `MA${200_000 + id * 7}`;
  const approved = isApproved ? instantText(hired + 300) : null;
  batch.add('doctors', [id, staffId, specialty, licence, practisingSince, approved, created, created]);
  const alwaysThere = `${person.givenName} ${person.familyName}` === demonstrationPeople.doctor;
  const doctor = { id, roomId, specialty, ordinal: id - 1, alwaysThere };
  const hours = arrangeHours(world, batch, random, doctor);
  if (!isApproved) return undefined;
  return {
    id,
    staffId,
    isCurated,
    departmentId: department.id,
    department: department.name,
    facility: department.facility,
    roomId,
    nurses,
    specialty,
    hours,
    popularity: alwaysThere ? 2 : 0.5 + random.fraction(),
  };
}
