/*
 * VeeR EL2 core, as Caliptra 1.x integrates it
 *
 * A RISC-V core with machine mode only, memories of its own (ICCM, DCCM), an
 * interrupt controller that names the source of an interrupt by the address
 * of its handler, bus errors that arrive as non-maskable interrupts, and a
 * sleep of its own.  All of this replaces operations of the RISC-V CPU class;
 * nothing of it is in the path of another core.
 *
 * Sources: Cores-VeeR-EL2 (design/lsu, design/ifu, design/dec), its
 * Programmer's Reference Manual, caliptra-rtl caliptra_top.sv.
 *
 * Not modelled: debug mode, triggers, ECC errors of the memories, the length
 * of pauses (mcpc).  The NMI of a bus error comes right behind the load that
 * caused it, and one instruction behind the store; the core takes several.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "hw/core/qdev-clock.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/sysemu-cpu-ops.h"
#include "migration/vmstate.h"
#include "exec/cpu-common.h"
#include "exec/cputlb.h"
#include "exec/icount.h"
#include "exec/target_page.h"
#include "exec/tlb-flags.h"
#include "exec/translation-block.h"
#include "system/memory.h"
#include "system/tcg.h"
#include "accel/tcg/cpu-ldst.h"
#include "accel/tcg/cpu-ops.h"
#include "tcg/insn-start-words.h"
#include "tcg/tcg-cpu.h"
#include "internals.h"
#include "trace.h"
#include "veer.h"

#define VEER_CLK_DEFAULT_HZ     100000000

/* ---- address map ---- */

static bool in_range(uint32_t addr, uint32_t base, uint32_t size)
{
    return addr - base < size;
}

static unsigned region(uint32_t addr)
{
    return addr >> 28;
}

static bool in_iccm_region(VeerCPU *cpu, uint32_t addr)
{
    return region(addr) == region(cpu->iccm_base);
}

static bool in_dccm_region(VeerCPU *cpu, uint32_t addr)
{
    return region(addr) == region(cpu->dccm_base);
}

static bool in_pic_region(VeerCPU *cpu, uint32_t addr)
{
    return region(addr) == region(cpu->pic_base);
}

static bool core_local(VeerCPU *cpu, uint32_t addr)
{
    return in_dccm_region(cpu, addr) || in_pic_region(cpu, addr);
}

static bool side_effect(VeerCPU *cpu, uint32_t addr)
{
    return !core_local(cpu, addr) && !in_iccm_region(cpu, addr) &&
           extract32(cpu->mrac, 2 * region(addr) + 1, 1);
}

/* ---- loads and stores ---- */

/*
 * The base register and the offset of a load or store, from the instruction
 * word; false if it is none.
 */
static bool decode_address(uint32_t insn, unsigned *rs1, int32_t *offset)
{
    if ((insn & 3) == 3) {
        *rs1 = extract32(insn, 15, 5);
        if ((insn & 0x7F) == 0x03) {
            *offset = sextract32(insn, 20, 12);
            return true;
        } else if ((insn & 0x7F) == 0x23) {
            *offset = deposit32(extract32(insn, 7, 5), 5, 27,
                                sextract32(insn, 25, 7));
            return true;
        }
        return false;
    }
    switch (insn & 0xE003) {
    case 0x4000:
    case 0xC000:
        /* c.lw, c.sw */
        *rs1 = 8 + extract32(insn, 7, 3);
        *offset = extract32(insn, 10, 3) << 3 | extract32(insn, 6, 1) << 2 |
                  extract32(insn, 5, 1) << 6;
        return true;
    case 0x4002:
        /* c.lwsp */
        *rs1 = 2;
        *offset = extract32(insn, 12, 1) << 5 | extract32(insn, 4, 3) << 2 |
                  extract32(insn, 2, 2) << 6;
        return true;
    case 0xC002:
        /* c.swsp */
        *rs1 = 2;
        *offset = extract32(insn, 9, 4) << 2 | extract32(insn, 7, 2) << 6;
        return true;
    default:
        return false;
    }
}

/*
 * Is any register within reach of an offset, and on the other side of where
 * the core's own regions begin or end?
 */
static bool border_in_reach(VeerCPU *cpu, uint32_t addr)
{
    CPURISCVState *env = &cpu->parent_obj.env;
    bool local = core_local(cpu, addr);
    unsigned i;

    if (core_local(cpu, addr - 0x7FF) == local &&
        core_local(cpu, addr + 0x800) == local) {
        return false;
    }
    for (i = 1; i < 32; i++) {
        if (env->gpr[i] - (addr - 0x7FF) <= 0xFFF &&
            core_local(cpu, env->gpr[i]) != local) {
            return true;
        }
    }
    return false;
}

/* The base register and the offset of the load or store at @retaddr */
static bool access_at(VeerCPU *cpu, uintptr_t retaddr, unsigned *rs1,
                      int32_t *offset)
{
    uint64_t data[INSN_START_WORDS];
    uint32_t insn = cpu->parent_obj.env.bins;

    if (retaddr && cpu_unwind_state_data(CPU(cpu), retaddr, data)) {
        insn = data[1];
    }
    return decode_address(insn, rs1, offset);
}

/* Its address; @addr if it cannot be told */
static uint32_t access_address(VeerCPU *cpu, uint32_t addr, uintptr_t retaddr)
{
    int32_t offset;
    unsigned rs1;

    return access_at(cpu, retaddr, &rs1, &offset) ?
           cpu->parent_obj.env.gpr[rs1] + offset : addr;
}

/*
 * The core looks at the base register to tell where an access will go, and
 * refuses one that then goes to another place.
 */
static bool mispredicted(VeerCPU *cpu, uint32_t addr, uintptr_t retaddr)
{
    CPURISCVState *env = &cpu->parent_obj.env;
    int32_t offset;
    unsigned rs1;

    return border_in_reach(cpu, addr) &&
           access_at(cpu, retaddr, &rs1, &offset) &&
           core_local(cpu, env->gpr[rs1]) != core_local(cpu, addr);
}

/*
 * The checks of lsu/el2_lsu_addrcheck.sv.  Returns the exception, or
 * RISCV_EXCP_NONE.
 */
static RISCVException check_data(VeerCPU *cpu, uint32_t addr, unsigned size,
                                 bool store, uintptr_t retaddr)
{
    uint32_t last = addr + size - 1;
    RISCVException misaligned = store ? RISCV_EXCP_STORE_AMO_ADDR_MIS
                                      : RISCV_EXCP_LOAD_ADDR_MIS;
    RISCVException fault = store ? RISCV_EXCP_STORE_AMO_ACCESS_FAULT
                                 : RISCV_EXCP_LOAD_ACCESS_FAULT;

    if (region(addr) != region(last)) {
        cpu->excp_mscause = VEER_MSCAUSE_MIS_REGION;
        return misaligned;
    }
    if ((addr & (size - 1)) && side_effect(cpu, addr)) {
        cpu->excp_mscause = VEER_MSCAUSE_MIS_SIDE_EFFECT;
        return misaligned;
    }
    if ((in_dccm_region(cpu, addr) &&
         (!in_range(addr, cpu->dccm_base, cpu->dccm_size) ||
          !in_range(last, cpu->dccm_base, cpu->dccm_size))) ||
        (in_pic_region(cpu, addr) &&
         (!in_range(addr, cpu->pic_base, cpu->pic_size) ||
          !in_range(last, cpu->pic_base, cpu->pic_size)))) {
        cpu->excp_mscause = VEER_MSCAUSE_LSU_UNMAPPED;
        return fault;
    }
    if (mispredicted(cpu, addr, retaddr)) {
        cpu->excp_mscause = VEER_MSCAUSE_LSU_PREDICT;
        return fault;
    }
    if (in_pic_region(cpu, addr) && (size != 4 || (addr & 3))) {
        cpu->excp_mscause = VEER_MSCAUSE_LSU_PIC;
        return fault;
    }
    return RISCV_EXCP_NONE;
}

static G_NORETURN void raise_access(VeerCPU *cpu, RISCVException excp,
                                    uint32_t addr, uintptr_t retaddr)
{
    cpu->parent_obj.env.badaddr = addr;
    CPU(cpu)->exception_index = excp;
    cpu_loop_exit_restore(CPU(cpu), retaddr);
}

/* Is this memory that the core itself reaches, for data and instructions? */
static bool is_memory(VeerCPU *cpu, uint32_t addr)
{
    if (in_iccm_region(cpu, addr)) {
        return in_range(addr, cpu->iccm_base, cpu->iccm_size);
    }
    if (in_dccm_region(cpu, addr)) {
        return in_range(addr, cpu->dccm_base, cpu->dccm_size);
    }
    return addr < cpu->rom_size && !side_effect(cpu, addr);
}

/*
 * Do the checks find with all accesses of a page what they have found with
 * one, but for alignment?  Not where a region ends, not where a base register
 * may be on the other side, and not in the interrupt controller.
 */
static bool page_is_alike(VeerCPU *cpu, uint32_t addr)
{
    uint32_t page = addr & TARGET_PAGE_MASK;

    return !in_pic_region(cpu, addr) &&
           core_local(cpu, page - 1) == core_local(cpu, page) &&
           region(page + TARGET_PAGE_SIZE) == region(page);
}

static bool veer_cpu_tlb_fill_align(CPUState *cs, CPUTLBEntryFull *out,
                                    vaddr address,
                                    MMUAccessType access_type, int mmu_idx,
                                    MemOp memop, int size, bool probe,
                                    uintptr_t retaddr)
{
    VeerCPU *cpu = VEER_CPU(cs);
    RISCVException excp = RISCV_EXCP_NONE;
    uint32_t addr = address, accessed = addr;
    bool fetch = access_type == MMU_INST_FETCH;

    *out = (CPUTLBEntryFull) {
        .phys_addr = addr,
        .attrs = MEMTXATTRS_UNSPECIFIED,
        .prot = fetch ? PAGE_EXEC : PAGE_READ | PAGE_WRITE,
        .lg_page_size = TARGET_PAGE_BITS,
    };
    if (fetch) {
        if (!in_iccm_region(cpu, addr)) {
            /* the instruction bus has a ROM, and not all address lines */
            out->phys_addr = addr & cpu->ifu_mask;
        } else if (!in_range(addr, cpu->iccm_base, cpu->iccm_size)) {
            cpu->excp_mscause = VEER_MSCAUSE_IFU_UNMAPPED;
            excp = RISCV_EXCP_INST_ACCESS_FAULT;
        }
    } else if (!probe) {
        excp = check_data(cpu, addr, size ?: 1,
                          access_type == MMU_DATA_STORE, retaddr);
        if (excp != RISCV_EXCP_NONE) {
            /* @addr is what lies in this page */
            accessed = access_address(cpu, addr, retaddr);
        }
    }
    if (excp != RISCV_EXCP_NONE) {
        if (probe) {
            return false;
        }
        raise_access(cpu, excp, accessed, retaddr);
    }

    if (is_memory(cpu, addr) && out->phys_addr == addr) {
        out->prot = PAGE_READ | PAGE_WRITE;
        if (!in_dccm_region(cpu, addr)) {
            out->prot |= PAGE_EXEC;
        }
    }
    if (out->prot & PAGE_READ) {
        if (!page_is_alike(cpu, addr)) {
            /* back here with the next access */
            out->lg_page_size = 0;
        }
        if (side_effect(cpu, addr)) {
            out->tlb_fill_flags = TLB_CHECK_ALIGNED;
        } else if (!is_memory(cpu, addr) && !core_local(cpu, addr)) {
            out->phys_addr |= VEER_BUS_WIDE;
        }
    }
    return true;
}

/* What TLB_CHECK_ALIGNED finds */
static G_NORETURN void veer_cpu_do_unaligned_access(CPUState *cs, vaddr addr,
                                                    MMUAccessType access_type,
                                                    int mmu_idx,
                                                    uintptr_t retaddr)
{
    VeerCPU *cpu = VEER_CPU(cs);

    cpu->excp_mscause = VEER_MSCAUSE_MIS_SIDE_EFFECT;
    raise_access(cpu, access_type == MMU_DATA_STORE ?
                      RISCV_EXCP_STORE_AMO_ADDR_MIS : RISCV_EXCP_LOAD_ADDR_MIS,
                 addr, retaddr);
}

/* ---- translation ---- */

/*
 * An access to a bus from the midst of a translation block leaves that and
 * is done again in a block of its own, each time.  So instructions that have
 * done so are where blocks end from now on.
 */
static uint32_t *bus_insn(VeerCPU *cpu, uint32_t pc)
{
    return &cpu->bus_insn[pc / 2 % ARRAY_SIZE(cpu->bus_insn)];
}

/* A branch, a jump or SYSTEM? The lower half of the instruction tells */
static bool ends_block(uint32_t insn)
{
    switch (insn & 3) {
    case 1:
        /* c.jal, c.j, c.beqz, c.bnez */
        return extract32(0xE2, extract32(insn, 13, 3), 1);
    case 2:
        /* c.jr, c.jalr, c.ebreak */
        return (insn & 0xE07C) == 0x8000;
    case 3:
        return (insn & 0x7F) >= 0x63;
    default:
        return false;
    }
}

/*
 * The instruction at pc has left its block; those behind it that have the
 * same base register would follow.
 */
static bool veer_cpu_io_recompile(CPUState *cs, const TranslationBlock *tb)
{
    VeerCPU *cpu = VEER_CPU(cs);
    CPURISCVState *env = cpu_env(cs);
    uint32_t page_end = env->pc | ~TARGET_PAGE_MASK;
    uint32_t insn = env->bins;
    uint32_t pc = env->pc;
    unsigned base, rs1;
    int32_t offset;

    *bus_insn(cpu, pc) = pc;
    if (decode_address(insn, &base, &offset)) {
        for (pc += insn_len(insn); page_end - pc >= 3; pc += insn_len(insn)) {
            insn = cpu_ldl_code(env, pc);
            if (ends_block(insn)) {
                break;
            }
            if (decode_address(insn, &rs1, &offset) && rs1 == base) {
                *bus_insn(cpu, pc) = pc;
            }
        }
    }
    tb_invalidate_phys_range(cs, tb_page_addr0(tb), tb_page_addr0(tb));
    return false;
}

static void veer_translate_code(CPUState *cs, TranslationBlock *tb,
                                int *max_insns, vaddr pc, void *host_pc)
{
    VeerCPU *cpu = VEER_CPU(cs);
    vaddr page_end = pc | ~TARGET_PAGE_MASK;
    vaddr at = pc;

    for (int n = 1; host_pc && n < *max_insns && at < page_end; n++) {
        uint32_t insn = lduw_le_p(host_pc + (at - pc));

        if (*bus_insn(cpu, at) == at) {
            *max_insns = n;
        }
        if (ends_block(insn)) {
            break;
        }
        at += insn_len(insn);
    }
    riscv_translate_code(cs, tb, max_insns, pc, host_pc);
}

/* ---- bus errors ---- */

static void raise_nmi(VeerCPU *cpu, uint32_t cause)
{
    if (!cpu->nmi_pending) {
        cpu->nmi_pending = true;
        cpu->nmi_cause = cause;
        cpu_interrupt(CPU(cpu), CPU_INTERRUPT_RNMI);
    }
}

static void veer_cpu_do_transaction_failed(CPUState *cs, hwaddr physaddr,
                                           vaddr addr, unsigned size,
                                           MMUAccessType access_type,
                                           int mmu_idx, MemTxAttrs attrs,
                                           MemTxResult response,
                                           uintptr_t retaddr)
{
    VeerCPU *cpu = VEER_CPU(cs);
    CPURISCVState *env = cpu_env(cs);

    if (access_type == MMU_INST_FETCH) {
        env->badaddr = addr;
        cpu->excp_mscause = VEER_MSCAUSE_IFU_BUS;
        cs->exception_index = RISCV_EXCP_INST_ACCESS_FAULT;
        cpu_loop_exit_restore(cs, retaddr);
    }
    if (cpu->rst_seen) {
        /* the reset comes before the end of this instruction */
        cs->exception_index = -1;
        cpu_loop_exit_restore(cs, retaddr);
    }
    /* the instruction ends, without a result: then the NMI */
    if (cpu_restore_state(cs, retaddr) && icount_enabled()) {
        cs->neg.icount_decr.u16.low--;
    }
    if (!cpu->mdseac_locked) {
        cpu->mdseac = access_address(cpu, addr, 0);
        cpu->mdseac_locked = true;
        BQL_LOCK_GUARD();
        raise_nmi(cpu, access_type == MMU_DATA_STORE ? VEER_NMI_STORE
                                                     : VEER_NMI_LOAD);
    }
    env->pc += insn_len(env->bins);
    if (access_type == MMU_DATA_STORE && !cs->singlestep_enabled) {
        /* nothing waits for a store: another instruction follows first */
        cs->cflags_next_tb = cs->tcg_cflags | CF_NOIRQ | 1;
    }
    cs->exception_index = -1;
    cpu_loop_exit(cs);
}

/* ---- traps ---- */

static void enter(VeerCPU *cpu, uint32_t cause, uint32_t mscause,
                  uint32_t tval, uint32_t vector)
{
    CPURISCVState *env = &cpu->parent_obj.env;

    qemu_log_mask(CPU_LOG_INT, "veer: mcause 0x%08x mscause %u mepc 0x"
                  TARGET_FMT_lx " mtval 0x%08x\n", cause, mscause, env->pc,
                  tval);
    env->mstatus = set_field(env->mstatus, MSTATUS_MPIE,
                             get_field(env->mstatus, MSTATUS_MIE));
    env->mstatus = set_field(env->mstatus, MSTATUS_MIE, 0);
    env->mepc = env->pc;
    env->mcause = cause;
    env->mtval = tval;
    cpu->mscause = mscause;
    env->pc = vector;
    /* a pulse that was held does not outlive an interrupt */
    veer_set_mip(cpu, VEER_IRQ_TIMER0, false);
    veer_set_mip(cpu, VEER_IRQ_TIMER1, false);
}

static void take_nmi(VeerCPU *cpu, uint32_t cause)
{
    enter(cpu, cause, VEER_MSCAUSE_NONE, 0, cpu->nmi_vector & ~1);
}

static void take_external(VeerCPU *cpu)
{
    uint8_t id = 0, priority = 0;
    uint32_t entry;

    if (cpu->pic) {
        cpu->pic->claim(cpu->pic_opaque, &id, &priority);
    }
    cpu->claim_id = id;
    cpu->meicidpl = priority;
    entry = cpu->meivt | id << 2;
    if (!in_dccm_region(cpu, entry)) {
        take_nmi(cpu, VEER_NMI_VECTOR_REGION);
    } else if (!in_range(entry, cpu->dccm_base, cpu->dccm_size)) {
        take_nmi(cpu, VEER_NMI_VECTOR_OUTSIDE);
    } else {
        enter(cpu, RISCV_EXCP_INT_FLAG | IRQ_M_EXT, VEER_MSCAUSE_NONE, 0,
              address_space_ldl_le(CPU(cpu)->as, entry,
                                   MEMTXATTRS_UNSPECIFIED, NULL) & ~1);
    }
}

static void take_interrupt(VeerCPU *cpu, unsigned irq)
{
    CPURISCVState *env = &cpu->parent_obj.env;
    uint32_t base = env->mtvec & ~3;

    if (irq == IRQ_M_EXT) {
        take_external(cpu);
        return;
    }
    enter(cpu, RISCV_EXCP_INT_FLAG | irq, VEER_MSCAUSE_NONE, 0,
          env->mtvec & 1 ? base + 4 * irq : base);
}

/* c.lwsp with x0 as destination: the core loads, and drops the word */
static bool is_lwsp_zero(uint32_t insn)
{
    return (insn & 0xFFFFEF83) == 0x4002;
}

static void veer_cpu_do_interrupt(CPUState *cs)
{
    VeerCPU *cpu = VEER_CPU(cs);
    CPURISCVState *env = cpu_env(cs);
    uint32_t cause = cs->exception_index;
    uint32_t mscause = VEER_MSCAUSE_NONE;
    uint32_t tval = 0;

    switch (cause) {
    case RISCV_EXCP_ILLEGAL_INST:
        tval = env->bins;
        if (is_lwsp_zero(tval)) {
            cpu_ldl_le_data_ra(env, access_address(cpu, 0, 0), 0);
            env->pc += 2;
            return;
        }
        if ((tval & 0x7F) != 0x73 || !extract32(tval, 12, 3)) {
            /* CSRs have not been counted, by unwinding */
            veer_minstret_adjust(cpu, -1);
        }
        break;
    case RISCV_EXCP_SEMIHOST:
        cause = RISCV_EXCP_BREAKPOINT;
        /* fall through */
    case RISCV_EXCP_BREAKPOINT:
        tval = env->pc;
        mscause = VEER_MSCAUSE_EBREAK;
        veer_minstret_adjust(cpu, -1);
        break;
    case RISCV_EXCP_U_ECALL:
        cause = RISCV_EXCP_M_ECALL;
        veer_minstret_adjust(cpu, -1);
        break;
    case RISCV_EXCP_INST_ACCESS_FAULT:
    case RISCV_EXCP_LOAD_ADDR_MIS:
    case RISCV_EXCP_STORE_AMO_ADDR_MIS:
    case RISCV_EXCP_LOAD_ACCESS_FAULT:
    case RISCV_EXCP_STORE_AMO_ACCESS_FAULT:
        tval = env->badaddr;
        mscause = cpu->excp_mscause;
        break;
    default:
        g_assert_not_reached();
    }
    trace_riscv_trap(env->mhartid, false, cause, env->pc, tval,
                     riscv_cpu_get_trap_name(cause, false));
    enter(cpu, cause, mscause, tval, env->mtvec & ~3);
    cs->exception_index = RISCV_EXCP_NONE;
}

/* ---- interrupts and sleep ---- */

void veer_update_irq(VeerCPU *cpu)
{
    CPURISCVState *env = &cpu->parent_obj.env;

    if (env->mip & env->mie) {
        cpu_interrupt(CPU(cpu), CPU_INTERRUPT_HARD);
    } else {
        cpu_reset_interrupt(CPU(cpu), CPU_INTERRUPT_HARD);
    }
}

void veer_set_mip(VeerCPU *cpu, int irq, bool level)
{
    CPURISCVState *env = &cpu->parent_obj.env;
    uint64_t mip = deposit64(env->mip, irq, 1, level);

    if (mip != env->mip) {
        env->mip = mip;
        veer_update_irq(cpu);
    }
}

/* The interrupt that is taken now, -1 if none */
static int pending_irq(VeerCPU *cpu)
{
    static const uint8_t order[] = {
        IRQ_M_EXT, VEER_IRQ_CE, IRQ_M_SOFT, IRQ_M_TIMER, VEER_IRQ_TIMER0,
        VEER_IRQ_TIMER1,
    };
    CPURISCVState *env = &cpu->parent_obj.env;
    uint64_t pending = env->mip & env->mie;
    size_t i;

    if (!pending || !(env->mstatus & MSTATUS_MIE)) {
        return -1;
    }
    if (cpu->halted) {
        /* what cannot wake the core waits */
        pending &= ~BIT(VEER_IRQ_CE);
        if (!cpu->wakeup_level) {
            pending &= ~BIT(IRQ_M_EXT);
        }
    }
    for (i = 0; i < ARRAY_SIZE(order); i++) {
        if (pending & BIT(order[i])) {
            return order[i];
        }
    }
    return -1;
}

static bool veer_cpu_has_work(CPUState *cs)
{
    VeerCPU *cpu = VEER_CPU(cs);

    return !cpu->in_reset &&
           (!cpu->halted || cpu->nmi_pending || pending_irq(cpu) >= 0);
}

static bool veer_cpu_exec_interrupt(CPUState *cs, int interrupt_request)
{
    VeerCPU *cpu = VEER_CPU(cs);
    int irq;

    if (!(interrupt_request & (CPU_INTERRUPT_HARD | CPU_INTERRUPT_RNMI)) ||
        cpu->in_reset) {
        return false;
    }
    irq = pending_irq(cpu);
    if (!cpu->nmi_pending && irq < 0) {
        return false;
    }
    if (cpu->halted) {
        veer_counters_halt(cpu, false);
    }
    if (cpu->nmi_pending) {
        cpu->nmi_pending = false;
        cpu_reset_interrupt(cs, CPU_INTERRUPT_RNMI);
        take_nmi(cpu, cpu->nmi_cause);
    } else {
        take_interrupt(cpu, irq);
    }
    return true;
}

void veer_halt(VeerCPU *cpu)
{
    if (!cpu->nmi_pending && pending_irq(cpu) < 0) {
        veer_counters_halt(cpu, true);
        cpu_interrupt(CPU(cpu), CPU_INTERRUPT_HALT);
    }
}

static void set_ext(void *opaque, int n, int level)
{
    veer_set_mip(opaque, IRQ_M_EXT, level);
}

static void set_timer(void *opaque, int n, int level)
{
    veer_set_mip(opaque, IRQ_M_TIMER, level);
}

static void set_soft(void *opaque, int n, int level)
{
    veer_set_mip(opaque, IRQ_M_SOFT, level);
}

static void set_wakeup(void *opaque, int n, int level)
{
    VeerCPU *cpu = opaque;

    cpu->wakeup_level = level;
    if (level && cpu->halted) {
        veer_update_irq(cpu);
    }
}

static void set_nmi(void *opaque, int n, int level)
{
    VeerCPU *cpu = opaque;

    if (level && !cpu->nmi_level && !cpu->in_reset) {
        raise_nmi(cpu, VEER_NMI_PIN);
    }
    cpu->nmi_level = level;
}

/* ---- reset ---- */

static void reset_work(CPUState *cs, run_on_cpu_data data)
{
    VeerCPU *cpu = VEER_CPU(cs);

    if (cpu->rst_seen) {
        cpu->rst_seen = false;
        cpu_reset(cs);
    }
    if (cpu->rst_l && cpu->in_reset) {
        cpu->in_reset = false;
        cs->halted = 0;
    }
}

void veer_cpu_set_rst_l(VeerCPU *cpu, bool level)
{
    if (cpu->rst_l && !level) {
        cpu->rst_seen = true;
    }
    cpu->rst_l = level;
    async_run_on_cpu(CPU(cpu), reset_work, RUN_ON_CPU_NULL);
}

void veer_cpu_set_nmi_vector(VeerCPU *cpu, uint32_t vector)
{
    cpu->nmi_vector = vector;
}

void veer_cpu_set_pic(VeerCPU *cpu, const VeerPicOps *ops, void *opaque)
{
    cpu->pic = ops;
    cpu->pic_opaque = opaque;
}

static void veer_cpu_reset_hold(Object *obj, ResetType type)
{
    VeerCPU *cpu = VEER_CPU(obj);

    VEER_CPU_GET_CLASS(obj)->parent_phases.hold(obj, type);
    cpu->in_reset = true;
    CPU(cpu)->halted = 1;
    cpu->halted = false;
    cpu->nmi_pending = false;
    cpu->nmi_cause = 0;
    cpu->excp_mscause = 0;
    cpu->parent_obj.env.mip &= ~(BIT(VEER_IRQ_TIMER0) | BIT(VEER_IRQ_TIMER1) |
                                 BIT(VEER_IRQ_CE));
    veer_csr_reset(cpu);
    veer_update_irq(cpu);
}

/* ---- CPU class ---- */

static int veer_cpu_post_load(void *opaque, int version_id)
{
    VeerCPU *cpu = opaque;

    return cpu->tselect >= VEER_TRIGGERS || cpu->claim_id > 31 ? -EINVAL : 0;
}

static const VMStateDescription vmstate_veer_counter = {
    .name = "veer-el2/counter",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(value, VeerCounter),
        VMSTATE_UINT64(base, VeerCounter),
        VMSTATE_BOOL(running, VeerCounter),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_veer_timer = {
    .name = "veer-el2/timer",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(cnt, VeerTimer, 1, vmstate_veer_counter, VeerCounter),
        VMSTATE_UINT32(bound, VeerTimer),
        VMSTATE_UINT32(ctl, VeerTimer),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_veer = {
    .name = "veer-el2",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = veer_cpu_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(parent_obj, VeerCPU, 1, vmstate_riscv_cpu, RISCVCPU),
        VMSTATE_CLOCK(clk, VeerCPU),
        VMSTATE_BOOL(rst_l, VeerCPU),
        VMSTATE_BOOL(rst_seen, VeerCPU),
        VMSTATE_BOOL(in_reset, VeerCPU),
        VMSTATE_BOOL(nmi_level, VeerCPU),
        VMSTATE_BOOL(nmi_pending, VeerCPU),
        VMSTATE_BOOL(wakeup_level, VeerCPU),
        VMSTATE_BOOL(halted, VeerCPU),
        VMSTATE_BOOL(mdseac_locked, VeerCPU),
        VMSTATE_UINT32(nmi_vector, VeerCPU),
        VMSTATE_UINT32(nmi_cause, VeerCPU),
        VMSTATE_UINT32(excp_mscause, VeerCPU),
        VMSTATE_UINT32(mrac, VeerCPU),
        VMSTATE_UINT32(mpmc, VeerCPU),
        VMSTATE_UINT32(mfdht, VeerCPU),
        VMSTATE_UINT32(mfdhs, VeerCPU),
        VMSTATE_UINT32(micect, VeerCPU),
        VMSTATE_UINT32(miccmect, VeerCPU),
        VMSTATE_UINT32(mdccmect, VeerCPU),
        VMSTATE_UINT32(mcgc, VeerCPU),
        VMSTATE_UINT32(mfdc, VeerCPU),
        VMSTATE_UINT32(mscause, VeerCPU),
        VMSTATE_UINT32(meivt, VeerCPU),
        VMSTATE_UINT32(meipt, VeerCPU),
        VMSTATE_UINT32(meicidpl, VeerCPU),
        VMSTATE_UINT32(meicurpl, VeerCPU),
        VMSTATE_UINT32(claim_id, VeerCPU),
        VMSTATE_UINT32(mdseac, VeerCPU),
        VMSTATE_UINT32(mcountinhibit, VeerCPU),
        VMSTATE_UINT32_ARRAY(mhpmevent, VeerCPU, VEER_HPM_COUNT),
        VMSTATE_UINT32(tselect, VeerCPU),
        VMSTATE_UINT32_ARRAY(tdata1, VeerCPU, VEER_TRIGGERS),
        VMSTATE_UINT32_ARRAY(tdata2, VeerCPU, VEER_TRIGGERS),
        VMSTATE_STRUCT(mcycle, VeerCPU, 1, vmstate_veer_counter, VeerCounter),
        VMSTATE_STRUCT(minstret, VeerCPU, 1, vmstate_veer_counter,
                       VeerCounter),
        VMSTATE_STRUCT_ARRAY(hpm, VeerCPU, VEER_HPM_COUNT, 1,
                             vmstate_veer_counter, VeerCounter),
        VMSTATE_STRUCT_ARRAY(timer, VeerCPU, VEER_TIMERS, 1,
                             vmstate_veer_timer, VeerTimer),
        VMSTATE_TIMER_PTR(match, VeerCPU),
        VMSTATE_END_OF_LIST()
    },
};

static void veer_cpu_realize(DeviceState *dev, Error **errp)
{
    VeerCPU *cpu = VEER_CPU(dev);

    if (!clock_has_source(cpu->clk)) {
        clock_set_hz(cpu->clk, VEER_CLK_DEFAULT_HZ);
    }
    VEER_CPU_GET_CLASS(dev)->parent_realize(dev, errp);
}

static void veer_cpu_init(Object *obj)
{
    VeerCPU *cpu = VEER_CPU(obj);
    DeviceState *dev = DEVICE(obj);

    cpu->parent_obj.env.resetvec = 0;
    cpu->parent_obj.cfg.debug = false;
    cpu->parent_obj.csr_ops = veer_csr_ops;
    cpu->clk = qdev_init_clock_in(dev, "clk", NULL, NULL, 0);
    cpu->match = timer_new_ns(QEMU_CLOCK_VIRTUAL, veer_timer_expired, cpu);
    qdev_init_gpio_in_named(dev, set_ext, VEER_IN_EXT, 1);
    qdev_init_gpio_in_named(dev, set_wakeup, VEER_IN_WAKE, 1);
    qdev_init_gpio_in_named(dev, set_timer, VEER_IN_TIMER, 1);
    qdev_init_gpio_in_named(dev, set_soft, VEER_IN_SOFT, 1);
    qdev_init_gpio_in_named(dev, set_nmi, VEER_IN_NMI, 1);
}

static void veer_cpu_finalize(Object *obj)
{
    timer_free(VEER_CPU(obj)->match);
}

static const Property veer_cpu_properties[] = {
    DEFINE_PROP_UINT32("iccm-base", VeerCPU, iccm_base, 0x40000000),
    DEFINE_PROP_UINT32("iccm-size", VeerCPU, iccm_size, 0x20000),
    DEFINE_PROP_UINT32("dccm-base", VeerCPU, dccm_base, 0x50000000),
    DEFINE_PROP_UINT32("dccm-size", VeerCPU, dccm_size, 0x20000),
    DEFINE_PROP_UINT32("pic-base", VeerCPU, pic_base, 0x60000000),
    DEFINE_PROP_UINT32("pic-size", VeerCPU, pic_size, 0x8000),
    DEFINE_PROP_UINT32("rom-size", VeerCPU, rom_size, 0xC000),
    DEFINE_PROP_UINT32("ifu-mask", VeerCPU, ifu_mask, 0xFFFF),
};

static void veer_cpu_class_init(ObjectClass *klass, const void *data)
{
    static const struct {
        const char *name, *text;
    } descriptions[] = {
        { "iccm-base", "address of the instruction memory" },
        { "iccm-size", "its size in bytes" },
        { "dccm-base", "address of the data memory" },
        { "dccm-size", "its size in bytes" },
        { "pic-base", "address of the interrupt controller" },
        { "pic-size", "its size in bytes" },
        { "rom-size", "size in bytes of the memory at address 0" },
        { "ifu-mask", "address bits that the instruction bus has" },
    };
    static TCGCPUOps tcg_ops;
    static SysemuCPUOps sysemu_ops;
    VeerCPUClass *vcc = VEER_CPU_CLASS(klass);
    CPUClass *cc = CPU_CLASS(klass);
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    size_t i;

    veer_csr_init();

    tcg_ops = *cc->tcg_ops;
    tcg_ops.translate_code = veer_translate_code;
    tcg_ops.io_recompile_replay_branch = veer_cpu_io_recompile;
    tcg_ops.tlb_fill_align = veer_cpu_tlb_fill_align;
    tcg_ops.do_unaligned_access = veer_cpu_do_unaligned_access;
    tcg_ops.do_interrupt = veer_cpu_do_interrupt;
    tcg_ops.cpu_exec_interrupt = veer_cpu_exec_interrupt;
    tcg_ops.cpu_exec_halt = veer_cpu_has_work;
    tcg_ops.do_transaction_failed = veer_cpu_do_transaction_failed;
    cc->tcg_ops = &tcg_ops;

    sysemu_ops = *cc->sysemu_ops;
    sysemu_ops.has_work = veer_cpu_has_work;
    sysemu_ops.legacy_vmsd = &vmstate_veer;
    cc->sysemu_ops = &sysemu_ops;

    device_class_set_parent_realize(dc, veer_cpu_realize,
                                    &vcc->parent_realize);
    resettable_class_set_parent_phases(rc, NULL, veer_cpu_reset_hold, NULL,
                                       &vcc->parent_phases);
    device_class_set_props(dc, veer_cpu_properties);
    for (i = 0; i < ARRAY_SIZE(descriptions); i++) {
        object_class_property_set_description(klass, descriptions[i].name,
                                              descriptions[i].text);
    }
}

static const TypeInfo veer_cpu_types[] = {
    {
        .name = TYPE_VEER_CPU,
        .parent = TYPE_RISCV_VENDOR_CPU,
        .instance_size = sizeof(VeerCPU),
        .instance_align = __alignof(VeerCPU),
        .instance_init = veer_cpu_init,
        .instance_finalize = veer_cpu_finalize,
        .class_size = sizeof(VeerCPUClass),
        .class_init = veer_cpu_class_init,
        .class_data = &(const RISCVCPUDef) {
            .misa_mxl_max = MXL_RV32,
            .misa_ext = RVI | RVM | RVC,
            /* the oldest that QEMU has the Zb extensions for */
            .priv_spec = PRIV_VERSION_1_12_0,
            .vext_spec = RISCV_PROFILE_ATTR_UNUSED,
            .bare = true,
            .cfg.max_satp_mode = VM_1_10_MBARE,
            .cfg.mvendorid = 0x45,
            .cfg.marchid = 0x10,
            .cfg.mimpid = 0x4,
            .cfg.ext_zicsr = true,
            .cfg.ext_zifencei = true,
            .cfg.ext_zba = true,
            .cfg.ext_zbb = true,
            .cfg.ext_zbc = true,
            .cfg.ext_zbs = true,
            .cfg.ext_veer = true,
        },
    },
};

DEFINE_TYPES(veer_cpu_types)
