import { zone } from './calendar.ts';
import * as curated from './curated/read.ts';
import type { Batch } from './tables.ts';
import type { World } from './world.ts';

/** A department, with what is needed to staff it. */
export interface Department {
  id: number;
  name: string;
  facility: string;
  /** Area code of its telephones. */
  areaCode: string;
  /** The specialty practised there, or '' where no doctor is booked. */
  specialty: string;
  isMain: boolean;
  rooms: number[];
}

const opened = '2005-01-03 14:00Z';

/** The main hospital with its tree of departments, and the community sites with one or two each. */
export function build(world: World, batch: Batch): Department[] {
  const random = world.random(1);
  const departments: Department[] = [];
  const add = (
    facilityId: number,
    parentId: number | null,
    location: string | null,
    rest: Omit<Department, 'id' | 'rooms'>,
  ): number => {
    const id = world.keys.next('departments');
    batch.add('departments', [id, facilityId, parentId, rest.name, location, opened, opened]);
    departments.push({ id, rooms: [], ...rest });
    return id;
  };
  for (const [place, site] of curated.facilities.entries()) {
    const id = world.keys.next('facilities');
    const address = `${site.address}, ${site.town}, MA ${site.zip}`;
    batch.add('facilities', [id, random.uuid(), site.name, zone, address, site.phone, opened, opened]);
    const shared = { facility: site.name, areaCode: site.phone.slice(1, 4), isMain: place === 0 };
    if (shared.isMain) {
      const keys = new Map<string, number>();
      for (const { name, parent, specialty, location } of curated.departments) {
        keys.set(name, add(id, keys.get(parent) ?? null, location, { name, specialty, ...shared }));
      }
    } else {
      const first = add(id, null, '1st floor', {
        name: 'Primary care',
        specialty: site.primary_specialty,
        ...shared,
      });
      const second = site.second_specialty;
      if (second) add(id, first, '2nd floor', { name: second, specialty: second, ...shared });
    }
  }
  return departments;
}

/** A room for every doctor, so that none ever waits for another to leave; at least two per department. */
export function furnish(
  world: World,
  batch: Batch,
  departments: Department[],
  doctorsOf: Map<number, number>,
): void {
  for (const department of departments) {
    const count = Math.max(2, doctorsOf.get(department.id) ?? 0);
    for (let place = 0; place < count; place++) {
      const id = world.keys.next('rooms');
      department.rooms.push(id);
      batch.add('rooms', [
        id,
        department.id,
        `Room ${department.isMain ? 'M' : 'C'}${101 + place}`,
        opened,
        opened,
      ]);
    }
  }
}
