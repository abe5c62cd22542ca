-- hospital_worker runs the background jobs: it may call their functions and nothing more.
call hospital_private.reset_access('hospital_worker');
grant usage on schema ops to hospital_worker;

grant execute on function
  ops.start_job_run,
  ops.enter_job_run,
  ops.leave_job_run,
  ops.finish_job_run,
  ops.fail_job_run,
  ops.send_reminders,
  ops.expire_holds,
  ops.offer_waitlist,
  ops.publish_aggregates,
  ops.maintain_partitions,
  ops.seal_audit,
  ops.verify_audit_chain,
  ops.load_warehouse,
  ops.refresh_views,
  ops.check_freshness
to hospital_worker;

grant execute on function
  ops.check_backups
to hospital_worker;

-- Changes for other services, of the consumers that it reads for.
grant execute on function
  ops.read_change_events,
  ops.acknowledge_change_events,
  ops.consumer_lags
to hospital_worker;

-- The post: one message at a time, and what became of it.
grant execute on function
  ops.claim_notification,
  ops.is_still_to_be_sent,
  ops.mark_notification_sent,
  ops.note_delivery_failure,
  ops.withdraw_untrue_notifications
to hospital_worker;

-- Reports of past months: totals in, files out.
grant execute on function
  ops.reports_due,
  ops.monthly_heading,
  ops.monthly_appointments,
  ops.monthly_appointments_figures,
  ops.monthly_billing,
  ops.monthly_billing_figures,
  ops.keep_report
to hospital_worker;
