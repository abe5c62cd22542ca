-- Hiding the small cells of a table is not enough where totals are shown: a cell alone in its line or
-- stack is the total less the others. So each small cell becomes the corner of a rectangle whose four
-- corners are all hidden. Adding to one corner, taking from the next, and so on round changes no sum, so
-- that nothing that is shown tells one such table from another. Totals are cells like the rest: the
-- difference is a sign.
--
-- The rectangle must leave room: round it the small cell can be moved through a span of half its value, and
-- of two at least, before a corner that loses as much comes to nothing. (A reader knows that what is
-- hidden is not nothing, since a zero is no row.) Of those the cheapest is taken. There always is one: with
-- the totals of line, stack and table all corners grow together.
create or replace function hospital_private.suppress_cells(
  cells hospital_private.table_cell[],
  smallest_cell integer
)
returns setof hospital_private.table_cell
language plpgsql
immutable
security invoker
set search_path = pg_catalog, pg_temp
as $$
declare
  lines constant text[] := array(
    select distinct c.line from unnest(suppress_cells.cells) as c where c.line is not null
  );
  stacks constant text[] := array(
    select distinct c.stack from unnest(suppress_cells.cells) as c where c.stack is not null
  );
  -- The table spread out row by row, totals first; the place of a cell is y * width + x + 1.
  width constant integer := cardinality(stacks) + 1;
  height constant integer := cardinality(lines) + 1;
  amounts bigint[] := array_fill(0::bigint, array[width * height]);
  hidden boolean[] := array_fill(false, array[width * height]);
  cell record;
  corners integer[];
begin
  for cell in
    select
      coalesce(array_position(lines, c.line), 0) * width
        + coalesce(array_position(stacks, c.stack), 0) + 1 as place,
      c.persons,
      c.value
    from unnest(suppress_cells.cells) as c
  loop
    amounts[cell.place] := cell.value;
    hidden[cell.place] := cell.persons < suppress_cells.smallest_cell;
  end loop;

  for cell in
    select
      (h.place - 1) / width as y,
      (h.place - 1) % width as x,
      amounts[h.place] as amount
    from unnest(hidden) with ordinality as h (is_hidden, place)
    where h.is_hidden
    order by
      amounts[h.place] desc,
      h.place
  loop
    select array[c.across, c.down, c.opposite]::integer[]
    into strict corners
    from (
      select
        cell.y * width + x + 1 as across,
        y * width + cell.x + 1 as down,
        y * width + x + 1 as opposite,
        -- Whether a corner grows with the cell, or loses what it gains.
        ((cell.y = 0) <> (cell.x = 0)) = ((cell.y = 0) = (x = 0)) as across_grows,
        ((cell.y = 0) <> (cell.x = 0)) = ((y = 0) = (cell.x = 0)) as down_grows,
        ((cell.y = 0) <> (cell.x = 0)) = ((y = 0) <> (x = 0)) as opposite_grows
      from generate_series(0, height - 1) as y
      cross join generate_series(0, width - 1) as x
      where y <> cell.y
        and x <> cell.x
    ) as c
    cross join lateral (
      select
        least(
          case when not c.across_grows then amounts[c.across] - 1 end,
          case when not c.down_grows then amounts[c.down] - 1 end,
          case when not c.opposite_grows then amounts[c.opposite] - 1 end
        ) as up,
        least(
          cell.amount - 1,
          case when c.across_grows then amounts[c.across] - 1 end,
          case when c.down_grows then amounts[c.down] - 1 end,
          case when c.opposite_grows then amounts[c.opposite] - 1 end
        ) as down
    ) as room
    where least(amounts[c.across], amounts[c.down], amounts[c.opposite]) > 0
      -- Without a corner that loses there is no end to growing.
      and (room.up is null or room.up + room.down >= greatest(cell.amount / 2, 2))
    order by
      case when hidden[c.across] then 0 else amounts[c.across] end
        + case when hidden[c.down] then 0 else amounts[c.down] end
        + case when hidden[c.opposite] then 0 else amounts[c.opposite] end,
      c.opposite
    limit 1;
    hidden[corners[1]] := true;
    hidden[corners[2]] := true;
    hidden[corners[3]] := true;
  end loop;

  return query
  select
    c.line,
    c.stack,
    c.persons,
    c.value,
    hidden[
      coalesce(array_position(lines, c.line), 0) * width
        + coalesce(array_position(stacks, c.stack), 0) + 1
    ]
  from unnest(suppress_cells.cells) as c;
end;
$$;
comment on function hospital_private.suppress_cells(hospital_private.table_cell[], integer) is
  'Marks which cells of a table with its totals are kept back, so that cells of fewer persons can neither be read nor be computed from the others.';
