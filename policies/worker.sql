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
  ops.load_warehouse
to hospital_worker;
