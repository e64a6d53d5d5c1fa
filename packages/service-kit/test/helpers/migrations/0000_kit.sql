CREATE SCHEMA "kit";
--> statement-breakpoint
CREATE TABLE "kit"."effects" (
	"key" text PRIMARY KEY NOT NULL,
	"count" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "kit"."inbox" (
	"event_id" uuid NOT NULL,
	"consumer_group" text NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "inbox_pkey" PRIMARY KEY("event_id","consumer_group")
);
--> statement-breakpoint
CREATE TABLE "kit"."outbox" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "kit"."outbox_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"event_id" uuid NOT NULL,
	"topic" text NOT NULL,
	"key" text NOT NULL,
	"type" text NOT NULL,
	"headers" jsonb NOT NULL,
	"payload" jsonb,
	"occurred_at" timestamp with time zone NOT NULL,
	"published_at" timestamp with time zone,
	"attempts" integer DEFAULT 0 NOT NULL,
	"last_error" text,
	"parked_at" timestamp with time zone,
	CONSTRAINT "outbox_event_id_unique" UNIQUE("event_id")
);
--> statement-breakpoint
CREATE TABLE "kit"."replica" (
	"topic" text NOT NULL,
	"entity_id" text NOT NULL,
	"type" text NOT NULL,
	"version" bigint NOT NULL,
	"payload" jsonb,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "replica_pkey" PRIMARY KEY("topic","entity_id")
);
--> statement-breakpoint
CREATE INDEX "inbox_received_at_index" ON "kit"."inbox" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "outbox_unpublished_index" ON "kit"."outbox" USING btree ("id") WHERE published_at is null and parked_at is null;--> statement-breakpoint
CREATE INDEX "outbox_published_at_index" ON "kit"."outbox" USING btree ("published_at") WHERE published_at is not null;