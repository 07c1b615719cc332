// SPDX-License-Identifier: Apache-2.0
// xwctl doctor's checks of the configuration and of the instances that run on this host.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract/region.h"
#include "control/doctor/doctor.h"

#define GENERATIONS_MOST 64

void doctor_config(struct doctor *doctor)
{
    if (doctor->config)
        doctor_say(doctor, DOCTOR_PASS, NULL, "%s is right: instance %s, trading date %u", doctor->config_path,
                   doctor->config->instance, doctor->config->date);
    else if (doctor->config_path)
        doctor_say(doctor, DOCTOR_FAIL, NULL, "%s", doctor->config_error);
    else
        doctor_say(doctor, DOCTOR_WARN, "xwctl -c CONFIG doctor",
                   "no configuration is given: only the host itself is looked at");
}

static void look_at_directory(struct doctor *doctor)
{
    const struct config *config = doctor->config;
    char mend[320];
    if (access(config->run_directory, F_OK) != 0) {
        snprintf(mend, sizeof mend, "mkdir -p %s", config->run_directory);
        doctor_say(doctor, DOCTOR_FAIL, mend, "run_directory %s: %s", config->run_directory, strerror(errno));
    } else if (access(config->run_directory, W_OK | X_OK) != 0) {
        doctor_say(doctor, DOCTOR_WARN, "AS crosswire-dataplane", "run_directory %s: this user may not write there",
                   config->run_directory);
    }
}

// One generation; true when its data plane is dead.
static bool look_at_generation(struct doctor *doctor, uint64_t generation)
{
    const struct config *config = doctor->config;
    struct region region;
    switch (region_join(&region, config->run_directory, config->instance, generation, false)) {
    case REGION_OK:
        break;
    case REGION_ABSENT: // gone since it was listed
        return false;
    case REGION_SYSTEM:
        doctor_say(doctor, DOCTOR_WARN, "AS root", "generation %" PRIu64 " of %s in %s can not be looked at: %s",
                   generation, config->instance, config->run_directory, strerror(errno));
        return false;
    case REGION_LAYOUT:
        doctor_say(doctor, DOCTOR_WARN, "xwctl status of that build; start its crosswire-control, which drains it",
                   "generation %" PRIu64 " of %s in %s is another build's", generation, config->instance,
                   config->run_directory);
        return false;
    default:
        return true;
    }
    bool alive = region_alive(&region);
    if (alive) {
        doctor->is_live = true;
        doctor->live_pid = region.header->dataplane_pid;
        doctor_say(doctor, DOCTOR_FAIL,
                   "systemctl stop crosswire.target (or SIGTERM to both processes), or another `instance`",
                   "instance %s runs already: crosswire-dataplane, pid %" PRIu64 ", generation %" PRIu64,
                   config->instance, region.header->dataplane_pid, generation);
    }
    region_leave(&region);
    return !alive;
}

// Dead generations are drained by the next control; a live one keeps another start out.
static void look_at_generations(struct doctor *doctor)
{
    const struct config *config = doctor->config;
    uint64_t list[GENERATIONS_MOST];
    unsigned dead = 0;
    int count = region_list(config->run_directory, config->instance, list, GENERATIONS_MOST);
    for (int i = 0; i < count && i < GENERATIONS_MOST; i++)
        dead += look_at_generation(doctor, list[i]);
    if (dead)
        doctor_say(
            doctor, DOCTOR_PASS, NULL,
            "%u generations of a dead data plane stand in %s: the next crosswire-control drains and removes them", dead,
            config->run_directory);
}

// The instance's name of a region file, NAME.g000007; false for other files.
static bool instance_of(const char *file, char *name, size_t size)
{
    const char *dot = strrchr(file, '.');
    if (!dot || dot[1] != 'g' || strlen(dot + 2) < 6 || dot[2 + strspn(dot + 2, "0123456789")] != '\0')
        return false;
    snprintf(name, size, "%.*s", (int)(dot - file), file);
    return true;
}

static void look_at_cores(struct doctor *doctor, const struct region *other, const char *name)
{
    for (unsigned i = 0; i < other->header->object_count; i++) {
        const struct region_object *object = &other->header->objects[i];
        if (object->kind != OBJECT_CORE)
            continue;
        const struct core_block *block = (const void *)((const char *)other->header + object->offset);
        for (unsigned k = 0; k < doctor->lcores_count; k++) {
            if (block->lcore == doctor->lcores[k])
                doctor_say(doctor, DOCTOR_FAIL, "give this instance's roles other lcores in the configuration",
                           "lcore %u is polled by instance %s (pid %" PRIu64 ") already", block->lcore, name,
                           other->header->dataplane_pid);
        }
    }
}

// Live instances of other names in the same directory: an lcore polls for one of them only.
static void look_at_others(struct doctor *doctor)
{
    const struct config *config = doctor->config;
    DIR *directory = opendir(config->run_directory);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char name[128];
        struct region region;
        if (!instance_of(entry->d_name, name, sizeof name) || strcmp(name, config->instance) == 0)
            continue;
        uint64_t generation = strtoull(entry->d_name + strlen(name) + 2, NULL, 10);
        if (region_join(&region, config->run_directory, name, generation, false) != REGION_OK)
            continue;
        if (region_alive(&region))
            look_at_cores(doctor, &region, name);
        region_leave(&region);
    }
    if (directory)
        closedir(directory);
}

void doctor_instance(struct doctor *doctor)
{
    unsigned before = doctor->findings_count;
    look_at_directory(doctor);
    look_at_generations(doctor);
    look_at_others(doctor);
    if (region_control_alive(doctor->config->run_directory, doctor->config->instance))
        doctor_say(doctor, DOCTOR_FAIL, "systemctl stop crosswire-control (or SIGTERM to it)",
                   "crosswire-control of instance %s runs already", doctor->config->instance);
    if (doctor->findings_count == before)
        doctor_say(doctor, DOCTOR_PASS, NULL, "instance %s does not run yet", doctor->config->instance);
}
