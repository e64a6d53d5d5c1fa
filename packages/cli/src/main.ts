#!/usr/bin/env node
import { createProgram, runProgram } from './program.ts'

process.exitCode = await runProgram(createProgram({ env: process.env, write: text => process.stdout.write(text), stackFile: '.local/stack.json' }), process.argv.slice(2), text => process.stderr.write(text))
