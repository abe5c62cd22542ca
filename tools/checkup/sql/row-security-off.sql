-- Without FORCE the owner's functions show everybody's rows.
select
  format(
    '%s %s.',
    c.oid::regclass,
    case
      when c.relrowsecurity then 'does not force row security on its owner'
      else 'has no row security'
    end
  ) as problem,
  format(
    'alter table %s enable row level security, force row level security',
    c.oid::regclass
  ) as remedy
from pg_class as c
where c.relkind in ('r', 'p')
  and c.relnamespace::regnamespace::text in ('hospital', 'masked')
  and not (c.relrowsecurity and c.relforcerowsecurity)
