import { demonstrationPeople } from './logins.ts';
import { isHoliday } from './booking.ts';
import { staff } from './curated/read.ts';
import { Failure } from '../failure.ts';
import type { Doctor } from './staff.ts';
import type { World } from './world.ts';

/** An appointment that must exist: what the demonstration patient finds after logging in, or one of a series. */
export interface Pin {
  patientId: number;
  doctorId: number;
  specialty: string;
  /** Of a series: which, when it was booked, and at which minute of the local day it takes place. */
  series?: { id: number; createdAt: number; minute: number };
}

/** About how many days from today the demonstration patient saw, or will see, the demonstration doctor. */
const meetings = [-560, -380, -210, -95, -30, 6, 34];

/** The demonstration patient is the first of all. */
const patientId = 1;

/** The pinned appointments of the demonstration patient by day. */
export function pinsFor(world: World, doctors: Doctor[]): Map<number, Pin[]> {
  const place = staff
    .filter(({ job }) => job === 'doctor')
    .findIndex(
      ({ given_name, family_name }) => `${given_name} ${family_name}` === demonstrationPeople.doctor,
    );
  const doctor = doctors.find(({ id }) => id === place + 1);
  if (!doctor) throw new Failure(`curated/staff.csv has no doctor called ${demonstrationPeople.doctor}.`);
  const pins = new Map<number, Pin[]>();
  for (const distance of meetings) {
    let day = world.day + distance;
    while (isHoliday(day) || doctor.hours.on(day).length === 0) day++;
    pins.set(day, [{ patientId, doctorId: doctor.id, specialty: doctor.specialty }]);
  }
  return pins;
}
