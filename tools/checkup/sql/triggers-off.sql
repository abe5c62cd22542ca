-- The audit, the history and half the rules are triggers. A foreign key is one too.
select
  format('The trigger %s of %s is off.', t.tgname, t.tgrelid::regclass) as problem,
  format(
    'alter table %s enable trigger %s; then see what was changed meanwhile: infirmary audit verify',
    t.tgrelid::regclass,
    case when t.tgisinternal then 'all' else quote_ident(t.tgname) end
  ) as remedy
from pg_trigger as t
join pg_class as c
  on c.oid = t.tgrelid
where t.tgenabled not in ('O', 'A')
  and c.relnamespace::regnamespace::text = any ($1)
