import { compareBooking } from '../scheduling/bookings.ts';
import { compareFinding } from '../scheduling/free-times.ts';
import { withHospitals } from '../scheduling/hospitals.ts';
import type { Suite } from '../suite.ts';

/** How many appointments there are before the past grows. */
const usual = 50_000;

export const scheduling: Suite = {
  name: 'scheduling',
  about:
    'Booking against bare inserts, on times of their own and on the same few; free time against generate_series, ' +
    'with a short past and a long one, as the owner and as a patient under row security.',
  async run(bench) {
    const small = Math.min(usual, bench.database.appointments);
    const sizes = { small, large: Math.max(2 * small, bench.database.appointments) };
    await withHospitals(bench.database, sizes, async (hospitals) => {
      for (const role of ['hospital_owner', 'hospital_patient']) await compareFinding(bench, hospitals, role);
      await compareBooking(bench, hospitals.large);
    });
  },
};
