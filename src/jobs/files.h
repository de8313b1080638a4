// What becomes of files without being asked: what was deleted for good on another node goes from this one's directory too,
// and uploads that nobody goes on with are put away.
#ifndef CRONISTA_JOBS_FILES_H
#define CRONISTA_JOBS_FILES_H

#include "records/records.h"

struct file_job;
struct file_job *file_job_start(struct crm *);
void file_job_stop(struct file_job *); // NULL is fine

#endif
