CREATE TABLE "recording_assembly"."accesses" (
	"recording_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"sitting" text NOT NULL,
	"begun_at" timestamp with time zone NOT NULL,
	CONSTRAINT "accesses_pkey" PRIMARY KEY("recording_id","version","sitting")
);
--> statement-breakpoint
CREATE TABLE "recording_assembly"."data_keys" (
	"recording_id" uuid NOT NULL,
	"generation" integer NOT NULL,
	"master_key_id" text NOT NULL,
	"wrapped" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "data_keys_pkey" PRIMARY KEY("recording_id","generation")
);
--> statement-breakpoint
CREATE TABLE "recording_assembly"."files" (
	"recording_id" uuid NOT NULL,
	"generation" integer NOT NULL,
	"file" text NOT NULL,
	"bytes" bigint NOT NULL,
	"sha256" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "files_pkey" PRIMARY KEY("recording_id","generation","file")
);
--> statement-breakpoint
ALTER TABLE "recording_assembly"."jobs" DROP CONSTRAINT "jobs_recording_id_kind_unique";--> statement-breakpoint
DROP INDEX "recording_assembly"."recordings_company_id_started_at_index";--> statement-breakpoint
DROP INDEX "recording_assembly"."recordings_started_at_index";--> statement-breakpoint
ALTER TABLE "recording_assembly"."jobs" ADD COLUMN "company_id" uuid;--> statement-breakpoint
UPDATE "recording_assembly"."jobs" SET "company_id" = (select "company_id" from "recording_assembly"."recordings" "r" where "r"."recording_id" = "jobs"."recording_id");--> statement-breakpoint
ALTER TABLE "recording_assembly"."jobs" ALTER COLUMN "company_id" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "recording_assembly"."jobs" ADD COLUMN "item" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "recording_assembly"."jobs" ADD COLUMN "progress" double precision;--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "direction" text;--> statement-breakpoint
UPDATE "recording_assembly"."recordings" SET "direction" = "manifest"->>'direction';--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ALTER COLUMN "direction" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "number" text;--> statement-breakpoint
UPDATE "recording_assembly"."recordings" SET "number" = "manifest"->>'number';--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "customer" text;--> statement-breakpoint
UPDATE "recording_assembly"."recordings" SET "customer" = "manifest"->>'customer';--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "gaps" integer;--> statement-breakpoint
UPDATE "recording_assembly"."recordings" SET "gaps" = jsonb_array_length("manifest"->'gaps');--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ALTER COLUMN "gaps" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "generation" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "stored_generation" integer;--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "retain_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "hold" jsonb;--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "purge" jsonb;--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "deletion" jsonb;--> statement-breakpoint
ALTER TABLE "recording_assembly"."recordings" ADD COLUMN "deleted_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "recording_assembly"."accesses" ADD CONSTRAINT "accesses_recording_id_recordings_recording_id_fk" FOREIGN KEY ("recording_id") REFERENCES "recording_assembly"."recordings"("recording_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "recording_assembly"."files" ADD CONSTRAINT "files_recording_id_recordings_recording_id_fk" FOREIGN KEY ("recording_id") REFERENCES "recording_assembly"."recordings"("recording_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "accesses_begun_at_index" ON "recording_assembly"."accesses" USING btree ("begun_at");--> statement-breakpoint
CREATE INDEX "data_keys_master_key_id_index" ON "recording_assembly"."data_keys" USING btree ("master_key_id");--> statement-breakpoint
CREATE INDEX "jobs_company_id_index" ON "recording_assembly"."jobs" USING btree ("company_id","created_at");--> statement-breakpoint
CREATE INDEX "recordings_company_id_number_index" ON "recording_assembly"."recordings" USING btree ("company_id","number");--> statement-breakpoint
CREATE INDEX "recordings_company_id_customer_index" ON "recording_assembly"."recordings" USING btree ("company_id","customer");--> statement-breakpoint
CREATE INDEX "recordings_retain_until_index" ON "recording_assembly"."recordings" USING btree ("retain_until") WHERE retain_until is not null and deleted_at is null;--> statement-breakpoint
CREATE INDEX "recordings_company_id_started_at_index" ON "recording_assembly"."recordings" USING btree ("company_id","started_at","recording_id");--> statement-breakpoint
CREATE INDEX "recordings_started_at_index" ON "recording_assembly"."recordings" USING btree ("started_at","recording_id");--> statement-breakpoint
ALTER TABLE "recording_assembly"."jobs" ADD CONSTRAINT "jobs_recording_id_kind_item_unique" UNIQUE("recording_id","kind","item");