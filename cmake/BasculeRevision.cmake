# BASCULE_REVISION_TEXT: what `--version` says beside the version. A build from an export of the sources passes
# -DBASCULE_REVISION, or gets the version, so that two builds of one package are the same.
set(BASCULE_REVISION "" CACHE STRING "Revision of the sources; default: that of the git checkout")
set(BASCULE_REVISION_TEXT "${BASCULE_REVISION}")
if(NOT BASCULE_REVISION_TEXT AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
  find_package(Git QUIET)
  if(GIT_FOUND)
    execute_process(COMMAND ${GIT_EXECUTABLE} describe --always --tags --dirty --abbrev=12
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE BASCULE_REVISION_TEXT
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
endif()
if(NOT BASCULE_REVISION_TEXT)
  set(BASCULE_REVISION_TEXT "${PROJECT_VERSION}")
endif()
