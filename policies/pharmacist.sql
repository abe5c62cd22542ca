-- hospital_pharmacist has what all staff share; dispensing comes with the pharmacy.
call hospital_private.reset_access('hospital_pharmacist');
