// SPDX-License-Identifier: Apache-2.0
// Scenarios as aligned text: orders in, events out.
//
//   = a sentence that says the rule                     starts a scenario on a fresh day
//   @ phase=P aiq=NYN postcancel=02 accounts=4          what is special about the day: also sessions= orders= levels=
//                                                       special= conditional= trades= seed= symbols= tick3=
//   O s0 1 B 100 S1 10.00 day  firm=ALFA                a command: type, session, fields, options
//   < A s0 1 B 100 S1 10.0000 #1 add                    an event that it makes, in order; none: no effect
//
// Commands: O session ref side quantity symbol price tif     U session orig>ref quantity price tif
//           X session ref quantity    M session ref side quantity    C session ref firm symbol
//           D session ref firm    E session ref firm    Q session    UP session    DOWN session    END
//           PHASE P|R|A|X    TICK second of the day    BREAK @match reason    ADJUST @match price quantity
//           KILL venue|firm|account|session|symbol INDEX    RESET the same, by name: side=B|S actions=1|2|3 source= id=
//           GROUP symbol number    MODE number on|off percent rate block
// HALT symbol state reason    REFERENCE symbol price sho= adv= tier=    INDEX level breached last= declared=    BANDS
// symbol percent= wide= limit= pause= velocity= within= until= from=    (in that order; seconds, or with ms, ns behind;
// percentages)
// "-" stands for blanks, prices may be "market" or "cross"; tif is day, ioc or OUCH's character. Options and fields by
// name: at= (second of the day; 5ns) idx= refuse= firm= side= display= iso= cross= group= located= broker= tradenow=
// customer= min= floor= type= peg= discretion= discretiontype= discretionpeg= post= reserves= expire= handle= aiq=
// aiqgroup= stop= trail= (offsets in 1/10,000). Day: symbols S1 (tick 0.01) and S2 (tick 0.0001); sessions s0 and s2 of
// firm ALFA, s1 of BETA; s2 cancels on disconnect. References and match numbers are printed without the core's range.
#ifndef CROSSWIRE_TESTS_SCENARIO_H
#define CROSSWIRE_TESTS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

#include "contract/command.h"
#include "contract/event.h"

// Runs every scenario of the file, with the engine and with the naive venue. With XW_ORACLE set, with the naive venue
// alone. Returns how many there were; writes the first disagreement to `error` ("" when
// none).
unsigned scenario_run(const char *path, char *error, size_t error_size);

// The command of a line such as the tables have, which is cut into words. False: there is no such command or option.
bool scenario_parse(struct command *command, char *line);

// The text of an event, as in the tables.
void scenario_event_text(const struct event *event, char *text, size_t size);

// The text of a command; one that the tables do not know becomes a comment.
void scenario_command_text(const struct command *command, char *text, size_t size);

#endif
