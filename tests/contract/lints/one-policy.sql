-- One policy for each table, role and command, and every policy names its role. Two are joined by OR,
-- which hides who may what and keeps either's index from being used.
/* broken by
create policy probe on hospital.patients for select to hospital_owner using (true);
mended by
drop policy probe on hospital.patients;
*/
select
  policy.polrelid::regclass::text as subject,
  case role.oid
    when 0 then format('policy %s is for PUBLIC', min(policy.polname))
    else format('%s has %s policies for %s', role.oid::regrole, count(*),
      case command.letter
        when 'r' then 'select'
        when 'a' then 'insert'
        when 'w' then 'update'
        else 'delete'
      end)
  end as problem
from pg_policy as policy
cross join unnest(policy.polroles) as role (oid)
join (values ('r'), ('a'), ('w'), ('d')) as command (letter)
  on policy.polcmd::text in ('*', command.letter)
group by policy.polrelid, role.oid, command.letter
having count(*) > 1 or role.oid = 0
