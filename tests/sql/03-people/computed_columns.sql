-- What is derived is not stored: names as shown, ages, years of practice.
begin;
select no_plan();

create temporary table today on commit drop as select (now() at time zone 'UTC')::date as day;
create function pg_temp.age(birth date, death date default null, zone text default null)
returns integer
language sql
as $$
  select hospital.patients_age(
    jsonb_populate_record(
      null::hospital.patients,
      jsonb_build_object('date_of_birth', birth, 'deceased_on', death, 'time_zone', zone)
    )
  );
$$;
select is(
  pg_temp.age((day - interval '40 years')::date),
  40, 'On the birthday one is a year older.'
) from today;
select is(
  pg_temp.age((day - interval '40 years')::date + 1),
  39, 'On the day before one is not.'
) from today;
select is(pg_temp.age(day), 0, 'The newborn are 0.') from today;
select is(
  pg_temp.age('2000-02-29', '2001-02-28'),
  0, 'Born on a leap day, not yet one on 28 February.'
);
select is(pg_temp.age('2000-02-29', '2001-03-01'), 1, 'But on 1 March.');
select is(pg_temp.age('1900-01-01', '1950-06-01'), 50, 'The dead do not grow older.');
select is(
  pg_temp.age((now() at time zone 'Pacific/Kiritimati')::date, null, 'Pacific/Kiritimati'), 0,
  'Today is today where the patient lives.'
);
select is(
  hospital.doctors_experience_years(
    jsonb_populate_record(
      null::hospital.doctors,
      jsonb_build_object('practising_since', (day - interval '10 years')::date)
    )
  ),
  10, 'Years of practice are completed years.'
) from today;

create temporary table who on commit drop as select tests.doctor(tests.department()) as one;
insert into who select tests.doctor(m.department_id)
from who as w join hospital.doctors as d on d.id = w.one join hospital.staff_members as m on m.id = d.staff_member_id;
select is(count(*), 2::bigint, 'A department lists its doctors.')
from (select distinct m.department_id from hospital.staff_members as m) as x
join hospital.departments as p on p.id = x.department_id
cross join lateral hospital.departments_doctors(p);
update hospital.doctors set deactivated_at = now() where id = (select max(one) from who);
select is(count(*), 1::bigint, 'But not those who cannot be booked.')
from (select distinct m.department_id from hospital.staff_members as m) as x
join hospital.departments as p on p.id = x.department_id
cross join lateral hospital.departments_doctors(p);

-- ### a doctor's name is believed of his key alone, and told to nobody without a session
create temporary table named on commit drop as
select
  d.is_active,
  d::hospital.doctors as doctor,
  'Sam ' || m.family_name as name
from hospital.doctors as d
join hospital.staff_members as m
  on m.id = d.staff_member_id
join who as w
  on w.one = d.id;
grant select on named to public;
select tests.patient('ann@example.test');
select tests.staff('administrator', null, 'boss@example.test');

select tests.be_anonymous();
select set_config('role', 'hospital_patient', true);
select is(array_agg(hospital.doctors_full_name(doctor)), '{null,null}', 'Nobody hears a name without a session.')
from named;
select tests.clear_authentication();
select tests.authenticate_as('ann@example.test');
select is(hospital.doctors_full_name(doctor), name, 'A patient hears the name of a doctor who can be booked.')
from named where is_active;
select is(hospital.doctors_full_name(doctor), null, 'And of no other, though he hands in the row himself.')
from named where not is_active;
select tests.clear_authentication();
select tests.authenticate_as('boss@example.test');
select is(array_agg(hospital.doctors_full_name(doctor)), array_agg(name), 'An administrator hears all.')
from named;
select tests.clear_authentication();
select * from finish();
rollback;
