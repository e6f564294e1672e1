# BullMQ's Lua scripts, from its npm package (src/queue/bullmq/package.json says which version), for embed(). A newer
# BullMQ is a new version there, `npm install --package-lock-only --ignore-scripts` beside it, and a test run: a script
# that takes other keys has another file name, and this stops the build.
# Nothing is fetched unless package-lock.json changed; the packages stay in build/npm-cache, for the other presets.
set(bullmq_scripts
  addDelayedJob-6 addJobScheduler-11 addLog-2 addParentJob-6 addPrioritizedJob-9 addStandardJob-9 changeDelay-4
  changePriority-7 cleanJobsInSet-3 drain-5 extendLock-2 extendLocks-1 getCounts-1 getCountsPerPriority-2
  getJobScheduler-1 getJobs-1 getRateLimitTtl-2 getStateV2-8 isFinished-3 isMaxed-2
  moveJobFromActiveToWait-9 moveJobsToWait-8 moveStalledJobsToWait-9 moveToActive-11 moveToDelayed-11
  moveToFinished-14 moveToWaitingChildren-7 obliterate-2 pause-7 promote-9
  releaseParentIfNoPendingDependencies-2 removeChildDependency-1 removeDeduplicationKey-1 removeJob-2
  removeJobScheduler-3 removeUnprocessedChildren-2 reprocessJob-9 retryJob-11 updateData-1
  updateJobScheduler-12 updateProgress-3)

find_program(NODE NAMES node nodejs REQUIRED)
find_program(NPM npm REQUIRED)

# bullmq_files(OUT): the files that hold the scripts, `VERSION` and `LICENSE`, and the command that makes them.
function(bullmq_files out)
  set(from ${CMAKE_SOURCE_DIR}/src/queue/bullmq)
  set(folder ${CMAKE_BINARY_DIR}/bullmq)
  set(extract ${CMAKE_SOURCE_DIR}/cmake/bullmq_scripts.mjs)
  list(TRANSFORM bullmq_scripts APPEND ".lua" OUTPUT_VARIABLE names)
  list(APPEND names VERSION LICENSE)
  list(TRANSFORM names PREPEND ${folder}/scripts/ OUTPUT_VARIABLE files)
  add_custom_command(
    OUTPUT ${folder}/node_modules/.package-lock.json
    COMMAND ${CMAKE_COMMAND} -E make_directory ${folder}
    COMMAND ${CMAKE_COMMAND} -E copy ${from}/package.json ${from}/package-lock.json ${folder}
    COMMAND ${NPM} ci --prefix ${folder} --cache ${CMAKE_SOURCE_DIR}/build/npm-cache --prefer-offline --ignore-scripts
            --omit=optional --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${folder}/node_modules/.package-lock.json
    DEPENDS ${from}/package.json ${from}/package-lock.json
    COMMENT "Fetching BullMQ's scripts"
    VERBATIM)
  add_custom_command(
    OUTPUT ${files}
    COMMAND ${NODE} ${extract} ${folder} ${names}
    DEPENDS ${folder}/node_modules/.package-lock.json ${extract}
    COMMENT "Taking out BullMQ's scripts"
    VERBATIM)
  set(${out} ${files} PARENT_SCOPE)
endfunction()
