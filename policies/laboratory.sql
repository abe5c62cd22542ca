-- hospital_laboratory has what all staff share; orders and results come with the laboratory.
call hospital_private.reset_access('hospital_laboratory');
