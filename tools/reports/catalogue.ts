/** A report: its rows are a function of the database, and so is what is drawn of them. */
export interface ReportKind {
  name: string;
  title: string;
  /** What a reader of the page should know about the rows. */
  note: string;
}

/** Every report that can be asked for; who may is in policies/. */
export const REPORTS: readonly ReportKind[] = [
  {
    name: 'appointments',
    title: 'Appointments',
    note: 'The appointments that the person named above may see, by the clock of their facility. Times that are only held are not counted.',
  },
  {
    name: 'diagnoses',
    title: 'Diagnoses',
    note: 'Coded diagnoses of the charts that were open when this was made, or of one’s own record.',
  },
  {
    name: 'treatments',
    title: 'Treatments',
    note: 'Treatments in the charts that were open when this was made, or in one’s own record. Cost is in US dollars.',
  },
  {
    name: 'billing',
    title: 'Billing',
    note: 'What completed appointments cost, in US dollars: the price of their type and the cost of their treatments. No invoices.',
  },
  {
    name: 'accesses',
    title: 'Chart accesses',
    note: 'Who opened which chart, by keys of accounts and patients and by the clock of UTC.',
  },
];

/** What the worker makes of every month that is over; the names are those of ops.reports_due(). */
export const MONTHLY: readonly ReportKind[] = [
  {
    name: 'appointments',
    title: 'Appointments of the month',
    note: 'All appointments by department, by the clock of their facility; hours are those of completed ones.',
  },
  {
    name: 'billing',
    title: 'Billing of the month',
    note: 'What completed appointments cost, in US dollars: the prices of their types and the cost of their treatments. No invoices.',
  },
];

/** Reports that one would expect and that have nothing to report on yet, with what they wait for. */
export const NOT_YET: Readonly<Record<string, string>> = {
  occupancy: 'The occupancy report comes with admissions and beds, which the record does not hold yet.',
  stock: 'The stock report comes with the pharmacy’s stock, which the record does not hold yet.',
};
