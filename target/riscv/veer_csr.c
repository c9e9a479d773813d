/*
 * VeeR EL2: control and status registers, counters, internal timers
 *
 * Source: Cores-VeeR-EL2 design/dec/el2_dec_tlu_ctl.sv as Caliptra 1.x has it
 * (core 1.x, machine mode only), and the VeeR EL2 Programmer's Reference
 * Manual.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "exec/cputlb.h"
#include "exec/icount.h"
#include "veer.h"

/* mstatus: MPP is 3 for ever */
#define MSTATUS_WRITABLE    (MSTATUS_MIE | MSTATUS_MPIE)
#define MISA_VALUE          0x40001104
#define MIE_WRITABLE        0x70000888
/* what software sees of mip: the timers' pulses are gone before it looks */
#define MIP_READABLE        (BIT(VEER_IRQ_CE) | MIP_MEIP | MIP_MTIP | MIP_MSIP)

#define MRAC_CACHEABLE      0x55555555
#define MPMC_HALT           BIT(0)
#define MPMC_HALTIE         BIT(1)
#define ECT_THRESHOLD_MAX   26

#define MITCTL_ENABLE       BIT(0)
#define MITCTL_HALT_EN      BIT(1)
#define MITCTL1_CASCADE     BIT(3)

#define TDATA1_FIXED        0x23E00000
#define TDATA1_SELECT       BIT(19)
#define TDATA1_CHAIN        BIT(11)
#define TDATA1_EXECUTE      BIT(2)
#define TDATA1_LOAD         BIT(0)
#define TDATA1_WRITABLE     0x001800C7

/* mhpmevent: those that are counted here */
#define HPM_CLOCKS          1
#define HPM_RETIRED         4

riscv_csr_operations veer_csr_ops[CSR_TABLE_SIZE];

static VeerCPU *veer(CPURISCVState *env)
{
    return VEER_CPU(env_cpu(env));
}

/* ---- counters ---- */

/* The count ends where 64 bits do, after 146 years at 4 GHz */
static uint64_t veer_clocks(VeerCPU *cpu)
{
    int64_t ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    if (clock_is_enabled(cpu->clk) &&
        ns > clock_ticks_to_ns(cpu->clk, UINT64_MAX)) {
        return UINT64_MAX;
    }
    return clock_ns_to_ticks(cpu->clk, ns);
}

/* Without icount QEMU does not count; then the clock stands for it */
static uint64_t veer_instructions(VeerCPU *cpu)
{
    return icount_enabled() ? icount_get_raw() : veer_clocks(cpu);
}

static uint64_t counter_get(const VeerCounter *c, uint64_t now)
{
    return c->value + (c->running ? now - c->base : 0);
}

static void counter_set(VeerCounter *c, uint64_t now, uint64_t value)
{
    c->value = value;
    c->base = now;
}

static void counter_run(VeerCounter *c, uint64_t now, bool running)
{
    counter_set(c, now, counter_get(c, now));
    c->running = running;
}

/* mcountinhibit, mhpmevent or the halted state has changed */
static void counters_update(VeerCPU *cpu)
{
    uint64_t clocks = veer_clocks(cpu);
    uint64_t insns = veer_instructions(cpu);
    uint32_t on = cpu->halted ? 0 : ~cpu->mcountinhibit;
    unsigned i;

    counter_run(&cpu->mcycle, clocks, on & BIT(0));
    counter_run(&cpu->minstret, insns, on & BIT(2));
    for (i = 0; i < VEER_HPM_COUNT; i++) {
        bool retired = cpu->mhpmevent[i] == HPM_RETIRED;

        counter_run(&cpu->hpm[i], retired ? insns : clocks,
                    (on & BIT(VEER_HPM_FIRST + i)) &&
                    (retired || cpu->mhpmevent[i] == HPM_CLOCKS));
    }
}

/* The counter of a CSR, and what its source reads now; NULL: there is none */
static VeerCounter *counter_of(VeerCPU *cpu, int csrno, uint64_t *now)
{
    unsigned n = csrno & 0x1F;

    switch (n) {
    case 0:
        *now = veer_clocks(cpu);
        return &cpu->mcycle;
    case 2:
        *now = veer_instructions(cpu);
        return &cpu->minstret;
    case VEER_HPM_FIRST ... VEER_HPM_FIRST + VEER_HPM_COUNT - 1:
        n -= VEER_HPM_FIRST;
        *now = cpu->mhpmevent[n] == HPM_RETIRED ? veer_instructions(cpu)
                                                : veer_clocks(cpu);
        return &cpu->hpm[n];
    default:
        return NULL;
    }
}

static RISCVException read_counter(CPURISCVState *env, int csrno,
                                   target_ulong *val)
{
    uint64_t now;
    VeerCounter *c = counter_of(veer(env), csrno, &now);
    unsigned shift = csrno & 0x80 ? 32 : 0;

    *val = c ? extract64(counter_get(c, now), shift, 32) : 0;
    return RISCV_EXCP_NONE;
}

static RISCVException write_counter(CPURISCVState *env, int csrno,
                                    target_ulong val, uintptr_t ra)
{
    VeerCPU *cpu = veer(env);
    uint64_t now;
    VeerCounter *c = counter_of(cpu, csrno, &now);
    unsigned shift = csrno & 0x80 ? 32 : 0;

    if (c) {
        uint64_t value = deposit64(counter_get(c, now), shift, 32, val);

        counter_set(c, now, value);
        if (c == &cpu->minstret && c->running && icount_enabled()) {
            /* the write itself is not counted */
            c->base++;
        }
    }
    return RISCV_EXCP_NONE;
}

void veer_minstret_adjust(VeerCPU *cpu, int n)
{
    if (icount_enabled() && cpu->minstret.running) {
        cpu->minstret.value += n;
    }
}

/* ---- internal timers ---- */

static unsigned timer_irq(unsigned i)
{
    return i ? VEER_IRQ_TIMER1 : VEER_IRQ_TIMER0;
}

static bool timer_cascaded(VeerCPU *cpu, unsigned i)
{
    return i == 1 && (cpu->timer[1].ctl & MITCTL1_CASCADE);
}

static bool timer_enabled(VeerCPU *cpu, unsigned i)
{
    uint32_t ctl = cpu->timer[i].ctl;

    return (ctl & MITCTL_ENABLE) && (!cpu->halted || (ctl & MITCTL_HALT_EN));
}

static bool irq_possible(VeerCPU *cpu, unsigned irq)
{
    CPURISCVState *env = &cpu->parent_obj.env;

    return (env->mstatus & MSTATUS_MIE) && (env->mie & BIT(irq));
}

/* One clock long: without effect where the interrupt is not enabled */
static void timer_pulse(VeerCPU *cpu, unsigned i)
{
    if (irq_possible(cpu, timer_irq(i))) {
        veer_set_mip(cpu, timer_irq(i), true);
    }
}

/* Bring both counts to the present; what has matched on the way interrupts */
static void timers_sync(VeerCPU *cpu)
{
    uint64_t now = veer_clocks(cpu);
    uint64_t matches = 0;
    unsigned i;

    for (i = 0; i < VEER_TIMERS; i++) {
        VeerTimer *t = &cpu->timer[i];
        uint64_t count = counter_get(&t->cnt, now);
        /* the count restarts a clock after the match */
        uint64_t period = (uint64_t)t->bound + 1;

        if (timer_cascaded(cpu, i)) {
            if (timer_enabled(cpu, i)) {
                count += matches;
            }
            period = MAX(t->bound, 1);
        }
        matches = count / period;
        counter_set(&t->cnt, now, count % period);
        if (matches) {
            timer_pulse(cpu, i);
        }
    }
}

static void timers_arm(VeerCPU *cpu)
{
    uint64_t mie = cpu->parent_obj.env.mie;
    uint64_t first = UINT64_MAX;
    unsigned i;

    for (i = 0; i < VEER_TIMERS; i++) {
        VeerTimer *t = &cpu->timer[i];
        bool wanted = mie & BIT(timer_irq(i));

        if (i == 0 && timer_cascaded(cpu, 1)) {
            wanted |= mie & BIT(timer_irq(1));
        }
        if (wanted && t->cnt.running) {
            uint64_t left = (uint64_t)t->bound + 1 - t->cnt.value;

            if (left < UINT64_MAX - t->cnt.base) {
                first = MIN(first, t->cnt.base + left);
            }
        }
    }
    if (first == UINT64_MAX) {
        timer_del(cpu->match);
    } else {
        uint64_t ns = clock_ticks_to_ns(cpu->clk, first);

        if (ns < INT64_MAX && clock_ns_to_ticks(cpu->clk, ns) < first) {
            ns++;
        }
        timer_mod_ns(cpu->match, ns);
    }
}

/* mitctl, mie or the halted state has changed */
static void timers_update(VeerCPU *cpu)
{
    unsigned i;

    timers_sync(cpu);
    for (i = 0; i < VEER_TIMERS; i++) {
        cpu->timer[i].cnt.running = timer_enabled(cpu, i) &&
                                    !timer_cascaded(cpu, i);
    }
    timers_arm(cpu);
}

void veer_timer_expired(void *opaque)
{
    VeerCPU *cpu = opaque;

    timers_sync(cpu);
    timers_arm(cpu);
}

static unsigned timer_index(int csrno)
{
    return csrno >= 0x7D5;
}

static RISCVException read_mitcnt(CPURISCVState *env, int csrno,
                                  target_ulong *val)
{
    VeerCPU *cpu = veer(env);

    BQL_LOCK_GUARD();
    timers_sync(cpu);
    *val = cpu->timer[timer_index(csrno)].cnt.value;
    return RISCV_EXCP_NONE;
}

/* The comparison is always at work, enabled or not */
static void timer_compare(VeerCPU *cpu, unsigned i)
{
    VeerTimer *t = &cpu->timer[i];

    if (t->cnt.value >= t->bound) {
        t->cnt.value = 0;
        timer_pulse(cpu, i);
    }
    timers_arm(cpu);
}

static RISCVException write_mitcnt(CPURISCVState *env, int csrno,
                                   target_ulong val, uintptr_t ra)
{
    VeerCPU *cpu = veer(env);
    unsigned i = timer_index(csrno);

    BQL_LOCK_GUARD();
    timers_sync(cpu);
    cpu->timer[i].cnt.value = val;
    timer_compare(cpu, i);
    return RISCV_EXCP_NONE;
}

static RISCVException write_mitb(CPURISCVState *env, int csrno,
                                 target_ulong val, uintptr_t ra)
{
    VeerCPU *cpu = veer(env);
    unsigned i = timer_index(csrno);

    BQL_LOCK_GUARD();
    timers_sync(cpu);
    cpu->timer[i].bound = val;
    timer_compare(cpu, i);
    return RISCV_EXCP_NONE;
}

static RISCVException write_mitctl(CPURISCVState *env, int csrno,
                                   target_ulong val, uintptr_t ra)
{
    VeerCPU *cpu = veer(env);
    unsigned i = timer_index(csrno);

    BQL_LOCK_GUARD();
    timers_sync(cpu);
    cpu->timer[i].ctl = val & (i ? 0xF : 0x7);
    timers_update(cpu);
    return RISCV_EXCP_NONE;
}

void veer_counters_halt(VeerCPU *cpu, bool halted)
{
    timers_sync(cpu);
    cpu->halted = halted;
    counters_update(cpu);
    timers_update(cpu);
}

/* ---- standard registers that are narrower here ---- */

static void drop_pulses(VeerCPU *cpu)
{
    unsigned i;

    for (i = 0; i < VEER_TIMERS; i++) {
        if (!irq_possible(cpu, timer_irq(i))) {
            veer_set_mip(cpu, timer_irq(i), false);
        }
    }
}

static RISCVException read_mstatus(CPURISCVState *env, int csrno,
                                   target_ulong *val)
{
    *val = MSTATUS_MPP | (env->mstatus & MSTATUS_WRITABLE);
    return RISCV_EXCP_NONE;
}

static RISCVException write_mstatus(CPURISCVState *env, int csrno,
                                    target_ulong val, uintptr_t ra)
{
    BQL_LOCK_GUARD();
    env->mstatus = MSTATUS_MPP | (val & MSTATUS_WRITABLE);
    drop_pulses(veer(env));
    return RISCV_EXCP_NONE;
}

static RISCVException read_misa(CPURISCVState *env, int csrno,
                                target_ulong *val)
{
    *val = MISA_VALUE;
    return RISCV_EXCP_NONE;
}

static RISCVException read_marchid(CPURISCVState *env, int csrno,
                                   target_ulong *val)
{
    *val = riscv_cpu_cfg(env)->marchid;
    return RISCV_EXCP_NONE;
}

static RISCVException read_mimpid(CPURISCVState *env, int csrno,
                                  target_ulong *val)
{
    *val = riscv_cpu_cfg(env)->mimpid;
    return RISCV_EXCP_NONE;
}

static RISCVException read_mie(CPURISCVState *env, int csrno,
                               target_ulong *val)
{
    *val = env->mie;
    return RISCV_EXCP_NONE;
}

static RISCVException write_mie(CPURISCVState *env, int csrno,
                                target_ulong val, uintptr_t ra)
{
    VeerCPU *cpu = veer(env);

    BQL_LOCK_GUARD();
    timers_sync(cpu);
    env->mie = val & MIE_WRITABLE;
    drop_pulses(cpu);
    veer_update_irq(cpu);
    timers_arm(cpu);
    return RISCV_EXCP_NONE;
}

static RISCVException read_mip(CPURISCVState *env, int csrno,
                               target_ulong *val)
{
    *val = env->mip & MIP_READABLE;
    return RISCV_EXCP_NONE;
}

static RISCVException write_mcountinhibit(CPURISCVState *env, int csrno,
                                          target_ulong val, uintptr_t ra)
{
    VeerCPU *cpu = veer(env);

    cpu->mcountinhibit = val & 0x7D;
    counters_update(cpu);
    return RISCV_EXCP_NONE;
}

static RISCVException read_mhpmevent(CPURISCVState *env, int csrno,
                                     target_ulong *val)
{
    unsigned i = csrno - (CSR_MHPMEVENT3);

    *val = i < VEER_HPM_COUNT ? veer(env)->mhpmevent[i] : 0;
    return RISCV_EXCP_NONE;
}

static RISCVException write_mhpmevent(CPURISCVState *env, int csrno,
                                      target_ulong val, uintptr_t ra)
{
    static const struct {
        uint16_t first, last;
    } events[] = {
        { 0, 28 }, { 30, 32 }, { 34, 50 }, { 54, 56 }, { 512, 516 },
    };
    VeerCPU *cpu = veer(env);
    unsigned i = csrno - CSR_MHPMEVENT3;
    uint32_t event = 0;
    size_t e;

    if (i >= VEER_HPM_COUNT) {
        return RISCV_EXCP_NONE;
    }
    for (e = 0; e < ARRAY_SIZE(events); e++) {
        if (val >= events[e].first && val <= events[e].last) {
            event = val;
        }
    }
    /* stop what was counted before the source changes */
    cpu->mhpmevent[i] = 0;
    counters_update(cpu);
    cpu->mhpmevent[i] = event;
    counters_update(cpu);
    return RISCV_EXCP_NONE;
}

/* ---- triggers: storage, they match nothing ---- */

static RISCVException read_tdata1(CPURISCVState *env, int csrno,
                                  target_ulong *val)
{
    VeerCPU *cpu = veer(env);

    *val = TDATA1_FIXED | cpu->tdata1[cpu->tselect];
    return RISCV_EXCP_NONE;
}

static RISCVException write_tdata1(CPURISCVState *env, int csrno,
                                   target_ulong val, uintptr_t ra)
{
    VeerCPU *cpu = veer(env);
    uint32_t mask = TDATA1_WRITABLE;

    if (!(cpu->tselect & 1)) {
        mask |= TDATA1_CHAIN;
    }
    if (val & TDATA1_SELECT) {
        mask &= ~(TDATA1_EXECUTE | TDATA1_LOAD);
    }
    cpu->tdata1[cpu->tselect] = val & mask;
    return RISCV_EXCP_NONE;
}

static RISCVException read_tdata2(CPURISCVState *env, int csrno,
                                  target_ulong *val)
{
    VeerCPU *cpu = veer(env);

    *val = cpu->tdata2[cpu->tselect];
    return RISCV_EXCP_NONE;
}

static RISCVException write_tdata2(CPURISCVState *env, int csrno,
                                   target_ulong val, uintptr_t ra)
{
    VeerCPU *cpu = veer(env);

    cpu->tdata2[cpu->tselect] = val;
    return RISCV_EXCP_NONE;
}

/* ---- registers of this core alone ---- */

static RISCVException read_zero(CPURISCVState *env, int csrno,
                                target_ulong *val)
{
    *val = 0;
    return RISCV_EXCP_NONE;
}

static RISCVException write_mrac(CPURISCVState *env, int csrno,
                                 target_ulong val, uintptr_t ra)
{
    /* a region with side effects is not cacheable */
    veer(env)->mrac = val & ~((val >> 1) & MRAC_CACHEABLE);
    tlb_flush(env_cpu(env));
    return RISCV_EXCP_NONE;
}

static RISCVException write_mpmc(CPURISCVState *env, int csrno,
                                 target_ulong val, uintptr_t ra)
{
    VeerCPU *cpu = veer(env);

    cpu->mpmc = val & MPMC_HALTIE;
    if (val & MPMC_HALT) {
        BQL_LOCK_GUARD();

        if (val & MPMC_HALTIE) {
            env->mstatus |= MSTATUS_MIE;
        }
        veer_halt(cpu);
    }
    return RISCV_EXCP_NONE;
}

static bool ect_reached(uint32_t ect)
{
    uint32_t count = extract32(ect, 0, 27);

    return count && count >= BIT(extract32(ect, 27, 5));
}

static RISCVException write_ect(CPURISCVState *env, int csrno,
                                target_ulong val, uintptr_t ra)
{
    VeerCPU *cpu = veer(env);
    uint32_t *ects[] = { &cpu->micect, &cpu->miccmect, &cpu->mdccmect };

    BQL_LOCK_GUARD();
    if (extract32(val, 27, 5) > ECT_THRESHOLD_MAX) {
        val = deposit32(val, 27, 5, ECT_THRESHOLD_MAX);
    }
    *ects[csrno - 0x7F0] = val;
    veer_set_mip(cpu, VEER_IRQ_CE, ect_reached(cpu->micect) ||
                 ect_reached(cpu->miccmect) || ect_reached(cpu->mdccmect));
    return RISCV_EXCP_NONE;
}

static RISCVException write_mdeau(CPURISCVState *env, int csrno,
                                  target_ulong val, uintptr_t ra)
{
    veer(env)->mdseac_locked = false;
    return RISCV_EXCP_NONE;
}

static void pic_thresholds(VeerCPU *cpu)
{
    if (cpu->pic) {
        cpu->pic->thresholds(cpu->pic_opaque, cpu->meipt, cpu->meicurpl);
    }
}

static RISCVException write_threshold(CPURISCVState *env, int csrno,
                                      target_ulong val, uintptr_t ra)
{
    VeerCPU *cpu = veer(env);

    BQL_LOCK_GUARD();
    *(csrno == 0xBC9 ? &cpu->meipt : &cpu->meicurpl) = val & 0xF;
    pic_thresholds(cpu);
    return RISCV_EXCP_NONE;
}

static RISCVException read_meihap(CPURISCVState *env, int csrno,
                                  target_ulong *val)
{
    VeerCPU *cpu = veer(env);

    *val = cpu->meivt | cpu->claim_id << 2;
    return RISCV_EXCP_NONE;
}

/* ---- the table ---- */

typedef struct VeerCsr {
    uint16_t number;
    /* registers in a row; those of more than one have the standard's names */
    uint8_t count;
    const char *name;
    /* storage without side effects, and the bits of it that can be written */
    size_t offset;
    uint32_t writable;
    /* instead of it */
    riscv_csr_read_fn read;
    riscv_csr_write_fn write;
} VeerCsr;

#define ENV(field)  offsetof(VeerCPU, parent_obj.env.field)
#define OWN(field)  offsetof(VeerCPU, field)

static const VeerCsr veer_csrs[] = {
    { 0x300, 1, "mstatus", .read = read_mstatus, .write = write_mstatus },
    { 0x301, 1, "misa", .read = read_misa },
    { 0x304, 1, "mie", .read = read_mie, .write = write_mie },
    { 0x305, 1, "mtvec", ENV(mtvec), 0xFFFFFFFD },
    { 0x320, 1, "mcountinhibit", OWN(mcountinhibit),
      .write = write_mcountinhibit },
    { 0x323, 29, NULL, .read = read_mhpmevent, .write = write_mhpmevent },
    { 0x340, 1, "mscratch", ENV(mscratch), 0xFFFFFFFF },
    { 0x341, 1, "mepc", ENV(mepc), 0xFFFFFFFE },
    { 0x342, 1, "mcause", ENV(mcause), 0xFFFFFFFF },
    { 0x343, 1, "mtval", ENV(mtval), 0xFFFFFFFF },
    { 0x344, 1, "mip", .read = read_mip },
    { 0x7A0, 1, "tselect", OWN(tselect), VEER_TRIGGERS - 1 },
    { 0x7A1, 1, "tdata1", .read = read_tdata1, .write = write_tdata1 },
    { 0x7A2, 1, "tdata2", .read = read_tdata2, .write = write_tdata2 },
    { 0x7C0, 1, "mrac", OWN(mrac), .write = write_mrac },
    /* the pause has no length here */
    { 0x7C2, 1, "mcpc", .read = read_zero },
    { 0x7C6, 1, "mpmc", OWN(mpmc), .write = write_mpmc },
    { 0x7CE, 1, "mfdht", OWN(mfdht), 0x3F },
    { 0x7CF, 1, "mfdhs", OWN(mfdhs), 0x3 },
    { 0x7D2, 1, "mitcnt0", .read = read_mitcnt, .write = write_mitcnt },
    { 0x7D3, 1, "mitb0", OWN(timer[0].bound), .write = write_mitb },
    { 0x7D4, 1, "mitctl0", OWN(timer[0].ctl), .write = write_mitctl },
    { 0x7D5, 1, "mitcnt1", .read = read_mitcnt, .write = write_mitcnt },
    { 0x7D6, 1, "mitb1", OWN(timer[1].bound), .write = write_mitb },
    { 0x7D7, 1, "mitctl1", OWN(timer[1].ctl), .write = write_mitctl },
    { 0x7F0, 1, "micect", OWN(micect), .write = write_ect },
    { 0x7F1, 1, "miccmect", OWN(miccmect), .write = write_ect },
    { 0x7F2, 1, "mdccmect", OWN(mdccmect), .write = write_ect },
    { 0x7F8, 1, "mcgc", OWN(mcgc), 0x3FF },
    { 0x7F9, 1, "mfdc", OWN(mfdc), 0x71FFF },
    { 0x7FF, 1, "mscause", OWN(mscause), 0xF },
    { 0xB00, 1, "mcycle", .read = read_counter, .write = write_counter },
    { 0xB02, 30, NULL, .read = read_counter, .write = write_counter },
    { 0xB80, 1, "mcycleh", .read = read_counter, .write = write_counter },
    { 0xB82, 30, NULL, .read = read_counter, .write = write_counter },
    { 0xBC0, 1, "mdeau", .read = read_zero, .write = write_mdeau },
    { 0xBC8, 1, "meivt", OWN(meivt), 0xFFFFFC00 },
    { 0xBC9, 1, "meipt", OWN(meipt), .write = write_threshold },
    { 0xBCB, 1, "meicidpl", OWN(meicidpl), 0xF },
    { 0xBCC, 1, "meicurpl", OWN(meicurpl), .write = write_threshold },
    { 0xF11, 1, "mvendorid", OWN(parent_obj.cfg.mvendorid) },
    { 0xF12, 1, "marchid", .read = read_marchid },
    { 0xF13, 1, "mimpid", .read = read_mimpid },
    { 0xF14, 1, "mhartid", ENV(mhartid) },
    { 0xFC0, 1, "mdseac", OWN(mdseac) },
    { 0xFC8, 1, "meihap", .read = read_meihap },
};

/* Row of each number that is plain storage */
static uint8_t veer_csr_row[CSR_TABLE_SIZE];

static uint32_t *storage(CPURISCVState *env, int csrno, uint32_t *writable)
{
    const VeerCsr *row = &veer_csrs[veer_csr_row[csrno]];

    *writable = row->writable;
    return (void *)veer(env) + row->offset;
}

static RISCVException read_storage(CPURISCVState *env, int csrno,
                                   target_ulong *val)
{
    uint32_t writable;

    *val = *storage(env, csrno, &writable);
    return RISCV_EXCP_NONE;
}

static RISCVException write_storage(CPURISCVState *env, int csrno,
                                    target_ulong val, uintptr_t ra)
{
    uint32_t writable;
    uint32_t *p = storage(env, csrno, &writable);

    *p = val & writable;
    return RISCV_EXCP_NONE;
}

static RISCVException any(CPURISCVState *env, int csrno)
{
    return RISCV_EXCP_NONE;
}

void veer_csr_init(void)
{
    size_t r;
    unsigned i;

    for (r = 0; r < ARRAY_SIZE(veer_csrs); r++) {
        const VeerCsr *row = &veer_csrs[r];

        for (i = 0; i < row->count; i++) {
            veer_csr_row[row->number + i] = r;
            veer_csr_ops[row->number + i] = (riscv_csr_operations) {
                .name = row->name ?: csr_ops[row->number + i].name,
                .predicate = any,
                .read = row->read ?: read_storage,
                .write = row->write ?: row->writable ? write_storage : NULL,
            };
        }
    }
}

void veer_csr_reset(VeerCPU *cpu)
{
    CPURISCVState *env = &cpu->parent_obj.env;
    unsigned i;

    memset(env->gpr, 0, sizeof(env->gpr));
    env->mstatus = MSTATUS_MPP;
    env->mie = 0;
    env->mtvec = 0;
    env->mscratch = 0;
    env->mepc = 0;
    env->mcause = 0;
    env->mtval = 0;

    cpu->mrac = 0;
    cpu->mpmc = MPMC_HALTIE;
    cpu->mfdht = 0;
    cpu->mfdhs = 0;
    cpu->micect = 0;
    cpu->miccmect = 0;
    cpu->mdccmect = 0;
    cpu->mcgc = 0x200;
    cpu->mfdc = 0x70000;
    cpu->mscause = 0;
    cpu->meivt = 0;
    cpu->meipt = 0;
    cpu->meicidpl = 0;
    cpu->meicurpl = 0;
    cpu->claim_id = 0;
    cpu->mdseac = 0;
    cpu->mdseac_locked = false;
    cpu->mcountinhibit = 0;
    cpu->tselect = 0;
    memset(cpu->mhpmevent, 0, sizeof(cpu->mhpmevent));
    memset(cpu->tdata1, 0, sizeof(cpu->tdata1));
    memset(cpu->tdata2, 0, sizeof(cpu->tdata2));
    pic_thresholds(cpu);

    memset(&cpu->mcycle, 0, sizeof(cpu->mcycle));
    memset(&cpu->minstret, 0, sizeof(cpu->minstret));
    memset(cpu->hpm, 0, sizeof(cpu->hpm));
    for (i = 0; i < VEER_TIMERS; i++) {
        cpu->timer[i] = (VeerTimer) {
            .bound = UINT32_MAX,
            .ctl = MITCTL_ENABLE,
        };
    }
    counters_update(cpu);
    timers_update(cpu);
}
