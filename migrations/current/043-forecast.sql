create type analytics.visit_forecast_row as (
  day             date,
  department_id   bigint,
  department      text,
  doctor_id       bigint,
  expected_visits numeric,
  fewest          bigint,
  most            bigint,
  mean_error      numeric,
  naive_error     numeric,
  relative_error  numeric,
  history_days    integer,
  remark          text,
  data_as_of      timestamptz
);
comment on type analytics.visit_forecast_row is 'How many visits are to be expected on a day, and how wrong that was of late.';
comment on column analytics.visit_forecast_row.day is 'The day, by the clocks of the department''s facility.';
comment on column analytics.visit_forecast_row.department_id is 'The department.';
comment on column analytics.visit_forecast_row.department is 'Its name.';
comment on column analytics.visit_forecast_row.doctor_id is 'The doctor whose visits are forecast, or null for all of the department.';
comment on column analytics.visit_forecast_row.expected_visits is 'The average of the same weekday in the last eight weeks, or null while history is too short.';
comment on column analytics.visit_forecast_row.fewest is 'The fewest visits in those eight days.';
comment on column analytics.visit_forecast_row.most is 'The most visits in those eight days.';
comment on column analytics.visit_forecast_row.mean_error is 'By how many visits a day the same forecast, made four weeks ago, has been wrong on average since.';
comment on column analytics.visit_forecast_row.naive_error is 'The same for who had said that the last week would repeat itself.';
comment on column analytics.visit_forecast_row.relative_error is 'The errors of those four weeks together as a share of their visits, or null if there were none.';
comment on column analytics.visit_forecast_row.history_days is 'How many days lie between the first visit and the forecast.';
comment on column analytics.visit_forecast_row.remark is 'What speaks against believing it, or null.';
comment on column analytics.visit_forecast_row.data_as_of is 'Everything recorded before this instant has been counted; the forecast is of the days from then on.';
