CREATE TABLE "recording_assembly"."copies" (
	"recording_id" uuid NOT NULL,
	"name" text NOT NULL,
	"path" text NOT NULL,
	"bytes" bigint NOT NULL,
	"sha256" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "copies_pkey" PRIMARY KEY("recording_id","name")
);
--> statement-breakpoint
ALTER TABLE "recording_assembly"."jobs" DROP CONSTRAINT "jobs_recording_id_recordings_recording_id_fk";
--> statement-breakpoint
CREATE INDEX "copies_created_at_index" ON "recording_assembly"."copies" USING btree ("created_at");