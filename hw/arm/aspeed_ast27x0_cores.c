/*
 * Reset control of the cores of an ASPEED AST2700
 *
 * On silicon the Cortex-A35 cores are in reset until software, the BootMCU's
 * as a rule, sets CA35_REL in the SCU, and start at CA35_RVBARn.  SSP and TSP,
 * each a Cortex-M4, are started by the SCU likewise.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qapi/error.h"
#include "hw/core/generic-loader.h"
#include "hw/core/qdev-properties.h"
#include "hw/arm/aspeed_ast27x0_cores.h"
#include "migration/vmstate.h"
#include "system/memory.h"
#include "system/qtest.h"
#include "target/arm/arm-powerctl.h"
#include "target/arm/cpu.h"
#include "target/arm/internals.h"

static bool is_ca35(Aspeed2700Core *core)
{
    return core < &core->cores->core[ASPEED_2700_CA35_CORES];
}

static unsigned core_index(Aspeed2700Core *core)
{
    return core - core->cores->core;
}

/* A Cortex-M4 without a vector table would lock up at once, and QEMU with it */
static bool has_vectors(ARMCPU *cpu)
{
    uint64_t vectors = 0;

    address_space_read(CPU(cpu)->as, 0, MEMTXATTRS_UNSPECIFIED, &vectors,
                       sizeof(vectors));
    return vectors;
}

static void core_start(Aspeed2700Core *core)
{
    uint64_t id = arm_cpu_mp_affinity(core->cpu);

    if (!is_ca35(core)) {
        if (has_vectors(core->cpu)) {
            arm_set_cpu_on_and_reset(id);
        } else {
            qemu_log_mask(LOG_GUEST_ERROR, "%s: core %u has no vector table, "
                          "stays off\n", __func__, core_index(core));
        }
    } else if (core->has_rvbar) {
        arm_set_cpu_on(id, core->rvbar, 0, 3, true);
    } else {
        arm_set_cpu_on(id, core->entry, 0, core->el, true);
    }
}

/*
 * Work of the core's own thread.  The line is looked at only here, and again
 * after each change, which is work for the same thread: lines change faster
 * than cores, and a reset of the machine may come in between.
 */
static void core_update(CPUState *cs, run_on_cpu_data data)
{
    Aspeed2700Core *core = data.host_ptr;
    bool fallen = core->fallen;

    core->fallen = false;
    if (core->cpu->power_state == PSCI_ON && (fallen || !core->run)) {
        arm_set_cpu_off(arm_cpu_mp_affinity(core->cpu));
        async_run_on_cpu(cs, core_update, data);
    } else if (core->cpu->power_state == PSCI_OFF && core->run) {
        core_start(core);
    }
}

static void core_set_run(Aspeed2700Core *core, bool run)
{
    if (core->run == run) {
        return;
    }
    core->run = run;
    if (run && is_ca35(core)) {
        core->has_rvbar = aspeed_2700_scu_rvbar(core->cores->scu,
                                                core_index(core),
                                                &core->rvbar);
    }
    if (core->loaded || (!run && !core->cores->hold)) {
        return;
    }
    core->fallen |= !run;
    async_run_on_cpu(CPU(core->cpu), core_update, RUN_ON_CPU_HOST_PTR(core));
}

/* the SCU's "ca35-rel" */
static void cores_ca35_rel(void *opaque, int n, int level)
{
    Aspeed2700CoresState *s = opaque;

    for (int i = 0; i < ASPEED_2700_CA35_CORES; i++) {
        core_set_run(&s->core[i], level);
    }
}

/* the SCU's "cm4-run" */
static void cores_cm4_run(void *opaque, int n, int level)
{
    Aspeed2700CoresState *s = opaque;

    core_set_run(&s->core[ASPEED_2700_CA35_CORES + n], level);
}

bool aspeed_2700_cores_held(Aspeed2700CoresState *s)
{
    return s->hold && !s->core[0].run;
}

/* ---- machine reset ---- */

typedef struct FindLoader {
    CPUState *cs;
    bool set_pc;
} FindLoader;

static int is_loader_for(Object *obj, void *opaque)
{
    const FindLoader *find = opaque;
    GenericLoaderState *loader =
        (GenericLoaderState *)object_dynamic_cast(obj, TYPE_GENERIC_LOADER);

    return loader && loader->cpu == find->cs &&
           (loader->set_pc || !find->set_pc);
}

bool aspeed_2700_has_loader(ARMCPU *cpu, bool set_pc)
{
    FindLoader find = { CPU(cpu), set_pc };

    return object_child_foreach_recursive(object_get_root(), is_loader_for,
                                          &find);
}

static void cores_reset_hold(Object *obj, ResetType type)
{
    Aspeed2700CoresState *s = ASPEED_2700_CORES(obj);

    for (int i = 0; i < ASPEED_2700_NR_CORES; i++) {
        s->core[i].run = false;
        s->core[i].fallen = false;
        s->core[i].has_rvbar = false;
    }
}

/*
 * Nobody resets a Cortex-M4 that no loader sets up.  With "hold" it stays off
 * until the SCU starts it; without, until a reset of the machine finds a
 * vector table.
 */
static void core_reset_cm4(Aspeed2700Core *core, const char *name)
{
    CPUState *cs = CPU(core->cpu);
    bool was_off = core->cpu->power_state == PSCI_OFF;
    bool missing;

    core->loaded = !core->cores->hold ||
                   aspeed_2700_has_loader(core->cpu, false);
    if (was_off || !core->loaded) {
        cpu_reset(cs);
    }
    missing = !has_vectors(core->cpu) && core->cpu->env.regs[15] == 0;
    if (!core->loaded || missing) {
        core->cpu->power_state = PSCI_OFF;
        cs->halted = 1;
    }
    if (core->loaded && missing && !was_off && !qtest_enabled()) {
        warn_report("%s: no vector table at reset, stays powered off", name);
    }
}

/* CPUs are reset and loaders have left their addresses and images */
static void cores_reset_exit(Object *obj, ResetType type)
{
    Aspeed2700CoresState *s = ASPEED_2700_CORES(obj);

    for (int i = 0; i < ASPEED_2700_CA35_CORES; i++) {
        s->core[i].entry = s->core[i].cpu->env.pc;
        s->core[i].el = arm_current_el(&s->core[i].cpu->env);
    }
    core_reset_cm4(&s->core[ASPEED_2700_CA35_CORES], "SSP");
    core_reset_cm4(&s->core[ASPEED_2700_CA35_CORES + 1], "TSP");
}

/* ---- the device ---- */

static void cores_realize(DeviceState *dev, Error **errp)
{
    Aspeed2700CoresState *s = ASPEED_2700_CORES(dev);

    if (!s->scu) {
        error_setg(errp, "'scu' link must be set");
        return;
    }
    for (int i = 0; i < ASPEED_2700_NR_CORES; i++) {
        if (!s->core[i].cpu) {
            error_setg(errp, "'cpu[%d]' link must be set", i);
            return;
        }
        s->core[i].cores = s;
        if (s->hold && is_ca35(&s->core[i])) {
            object_property_set_bool(OBJECT(s->core[i].cpu),
                                     "start-powered-off", true, &error_abort);
        }
    }
    qdev_connect_gpio_out_named(DEVICE(s->scu), ASPEED_SCU_OUT_CA35_REL, 0,
                                qdev_get_gpio_in_named(dev,
                                    ASPEED_SCU_OUT_CA35_REL, 0));
    for (int i = 0; i < ASPEED_2700_CM4_CORES; i++) {
        qdev_connect_gpio_out_named(DEVICE(s->scu), ASPEED_SCU_OUT_CM4_RUN, i,
                                    qdev_get_gpio_in_named(dev,
                                        ASPEED_SCU_OUT_CM4_RUN, i));
    }
}

static void cores_init(Object *obj)
{
    Aspeed2700CoresState *s = ASPEED_2700_CORES(obj);

    qdev_init_gpio_in_named(DEVICE(obj), cores_ca35_rel,
                            ASPEED_SCU_OUT_CA35_REL, 1);
    qdev_init_gpio_in_named(DEVICE(obj), cores_cm4_run,
                            ASPEED_SCU_OUT_CM4_RUN, ASPEED_2700_CM4_CORES);
    for (int i = 0; i < ASPEED_2700_NR_CORES; i++) {
        g_autofree char *name = g_strdup_printf("cpu[%d]", i);

        object_property_add_link(obj, name, TYPE_ARM_CPU,
                                 (Object **)&s->core[i].cpu,
                                 qdev_prop_allow_set_link_before_realize, 0);
        object_property_set_description(obj, name, "Core to control");
    }
}

static const VMStateDescription vmstate_core = {
    .name = TYPE_ASPEED_2700_CORES "/core",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(run, Aspeed2700Core),
        VMSTATE_BOOL(fallen, Aspeed2700Core),
        VMSTATE_BOOL(has_rvbar, Aspeed2700Core),
        VMSTATE_UINT64(rvbar, Aspeed2700Core),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_cores = {
    .name = TYPE_ASPEED_2700_CORES,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(core, Aspeed2700CoresState,
                             ASPEED_2700_NR_CORES, 1, vmstate_core,
                             Aspeed2700Core),
        VMSTATE_END_OF_LIST()
    },
};

static const Property cores_properties[] = {
    DEFINE_PROP_LINK("scu", Aspeed2700CoresState, scu, TYPE_ASPEED_SCU,
                     AspeedSCUState *),
    DEFINE_PROP_BOOL("hold", Aspeed2700CoresState, hold, false),
};

static void cores_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "ASPEED AST2700 reset control of cores";
    dc->realize = cores_realize;
    dc->vmsd = &vmstate_cores;
    dc->user_creatable = false;
    device_class_set_props(dc, cores_properties);
    object_class_property_set_description(klass, "scu",
        "SCU whose registers release the cores");
    object_class_property_set_description(klass, "hold",
        "Whether the cores are in reset until the SCU releases them");
    rc->phases.hold = cores_reset_hold;
    rc->phases.exit = cores_reset_exit;
}

static const TypeInfo cores_types[] = {
    {
        .name = TYPE_ASPEED_2700_CORES,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(Aspeed2700CoresState),
        .instance_init = cores_init,
        .class_init = cores_class_init,
    },
};

DEFINE_TYPES(cores_types)
