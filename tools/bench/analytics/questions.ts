import type { Client } from 'pg';
import { ask } from '../../database.ts';

/** One question, put to the answers of the warehouse and to the tables of the record. */
export interface Question {
  title: string;
  /** Asked of a function in analytics, by an administrator. */
  answer: string;
  /** The same rows from the record, as the owner, whom no policy costs anything. */
  operational: string;
  values: string[];
}

/** What was booked: holds that nobody confirmed were never. */
const booked = `a.status not in ('held', 'lapsed') and not exists (
  select from hospital.appointment_status_history as s
  where s.appointment_id = a.id
    and a.status = 'cancelled'
    and s.from_status = 'held'
    and s.to_status = 'cancelled'
)`;

/** Visits and appointments with the clock of the wall where they were. */
const visitsOnTheWall = `hospital.visits as v
  join hospital.appointments as a on a.id = v.appointment_id
  join hospital.departments as o on o.id = a.department_id
  join hospital.facilities as f on f.id = o.facility_id`;
const appointmentsOnTheWall = `hospital.appointments as a
  join hospital.departments as o on o.id = a.department_id
  join hospital.facilities as f on f.id = o.facility_id`;
const workload = `
  count(*), count(*) filter (where a.status = 'completed'),
  count(*) filter (where a.status = 'cancelled'), count(*) filter (where a.status = 'no_show')`;
const startsOn = `(a.starts_at at time zone f.time_zone)::date`;

/** The questions of a dashboard: of all time, of a month, and of days that are no months. */
export async function chooseQuestions(owner: Client): Promise<Question[]> {
  const { rows } = await ask(
    owner,
    `select
       date_trunc('month', percentile_disc(0.5) within group (order by starts_at) at time zone 'UTC')::date::text,
       (date_trunc('month', percentile_disc(0.5) within group (order by starts_at) at time zone 'UTC')
         + interval '1 month')::date::text
     from hospital.appointments`,
  );
  const month = rows[0] as [string, string];
  return [
    {
      title: "Doctors by their visits, of all time (the seeds' top doctors)",
      answer: 'select doctor_id, visits from analytics.top_doctors()',
      operational: `select v.doctor_id, count(*) from hospital.visits as v where v.voided_at is null
                    group by v.doctor_id order by count(*) desc, v.doctor_id`,
      values: [],
    },
    {
      title: 'Appointments by department, of all time, and what became of them',
      answer: `select department_id, appointments, completed, cancelled, no_shows from analytics.department_load()`,
      operational: `select a.department_id, ${workload} from hospital.appointments as a where ${booked}
                    group by a.department_id order by count(*) desc, a.department_id`,
      values: [],
    },
    {
      title: 'Visits by month',
      answer: 'select month::text, visits from analytics.monthly_visits()',
      operational: `select date_trunc('month', v.started_at at time zone f.time_zone)::date::text, count(*)
                    from ${visitsOnTheWall} where v.voided_at is null group by 1 order by 1`,
      values: [],
    },
    {
      title: 'What was charged by month',
      answer: `select month::text, appointments, appointment_revenue::text, treatments, treatment_revenue::text
               from analytics.revenue()`,
      operational: `
        with charged as (
          select date_trunc('month', a.starts_at at time zone f.time_zone)::date as month, 1 as appointments, y.price,
            0 as treatments, 0.00 as cost
          from ${appointmentsOnTheWall} join hospital.appointment_types as y on y.id = a.appointment_type_id
          where a.status = 'completed'
          union all
          select date_trunc('month', t.started_at at time zone f.time_zone)::date, 0, 0.00, 1, t.cost
          from hospital.treatments as t join hospital.visits as v on v.id = t.visit_id
          join hospital.appointments as a on a.id = v.appointment_id
          join hospital.departments as o on o.id = a.department_id join hospital.facilities as f on f.id = o.facility_id
          where t.voided_at is null and v.voided_at is null
        )
        select month::text, sum(appointments), sum(price)::numeric(14,2)::text, sum(treatments), sum(cost)::numeric(14,2)::text
        from charged group by month order by month`,
      values: [],
    },
    {
      title: 'The workload of all doctors in a month',
      answer: `select doctor_id, appointments, completed, cancelled, no_shows
               from analytics.doctor_workload($1::date, $2::date)`,
      operational: `select a.doctor_id, ${workload} from ${appointmentsOnTheWall}
                    where ${booked} and ${startsOn} >= $1::date and ${startsOn} < $2::date
                    group by a.doctor_id order by count(*) desc, a.doctor_id`,
      values: month,
    },
    {
      title: 'The workload of all doctors in 101 days that are no months',
      answer: `select doctor_id, appointments, completed, cancelled, no_shows
               from analytics.doctor_workload($1::date + 12, $1::date + 113)`,
      operational: `select a.doctor_id, ${workload} from ${appointmentsOnTheWall}
                    where ${booked} and ${startsOn} >= $1::date + 12 and ${startsOn} < $1::date + 113
                    group by a.doctor_id order by count(*) desc, a.doctor_id`,
      values: [month[0]],
    },
    {
      title: 'No-shows, cancellations and completed appointments a day by department, of all time',
      answer: `select department_id, round(no_show_rate::numeric, 6)::text, round(cancellation_rate::numeric, 6)::text,
                 round(completed_per_day::numeric, 6)::text
               from analytics.department_efficiency()`,
      operational: `
        select a.department_id,
          round((count(*) filter (where a.status = 'no_show')
            / nullif(count(*) filter (where a.status in ('completed', 'no_show')), 0)::float8)::numeric, 6)::text,
          round((count(*) filter (where a.status = 'cancelled') / nullif(count(*), 0)::float8)::numeric, 6)::text,
          round((count(*) filter (where a.status = 'completed')
            / nullif(count(distinct ${startsOn}) filter (where a.status = 'completed'), 0)::float8)::numeric, 6)::text
        from ${appointmentsOnTheWall} where ${booked}
        group by a.department_id order by a.department_id`,
      values: [],
    },
  ];
}
