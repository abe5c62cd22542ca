create or replace view masked.release
with (security_barrier = true) as
select
  r.id as release,
  r.until,
  r.smallest_cell
from hospital_private.masking_releases as r
where (select hospital_private.admits_analyst())
  and r.retired_at is null
order by r.id desc
limit 1;
comment on view masked.release is 'The release that the masked views show.';
comment on column masked.release.release is 'Its number; pseudonyms and moved dates are of this release alone.';
comment on column masked.release.until is 'The first day that is no longer in it.';
comment on column masked.release.smallest_cell is 'How many persons share a category that is not called rare, at least.';
