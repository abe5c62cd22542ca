-- Question: Which parts of a note are written or rewritten in a second sitting, and how soon?
-- Technique: Two versions of a document compared key by key, by jsonb_each_text and a full join.
-- Notice: lead lines each version up with the one after it, and the note itself is the last. The
--   full join keeps sections that were added or taken out, which a join on equal keys would lose.
--   is distinct from treats a missing section as a value of its own. Nothing in the query knows the
--   sections: those that a new type of note brings are counted from their first day.
with version as (
  select
    o.note_id,
    o.version,
    o.body,
    o.replaced_at
  from hospital.clinical_note_versions as o
  union all
  select
    n.id,
    n.version,
    n.body,
    null
  from hospital.clinical_notes as n
),
revision as (
  select
    v.note_id,
    v.body as before,
    lead(v.body) over note as after,
    v.replaced_at
  from version as v
  window note as (partition by v.note_id order by v.version)
)
select
  n.note_type,
  s.key as section,
  count(*) as times_rewritten,
  count(*) filter (where s.was is null) as times_added,
  count(*) filter (where s.became is null) as times_taken_out,
  round(avg(coalesce(length(s.became), 0) - coalesce(length(s.was), 0)), 1) as mean_growth,
  percentile_disc(0.5) within group (order by r.replaced_at - n.created_at) as median_after
from revision as r
join hospital.clinical_notes as n
  on n.id = r.note_id
cross join lateral (
  select
    coalesce(b.key, a.key) as key,
    b.value as was,
    a.value as became
  from jsonb_each_text(r.before) as b
  full join jsonb_each_text(r.after) as a
    on a.key = b.key
  where a.value is distinct from b.value
) as s
where r.after is not null
group by n.note_type, s.key
order by
  times_rewritten desc,
  n.note_type,
  s.key;
