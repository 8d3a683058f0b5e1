/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmu.c - mmu_update, update_va_mapping, mmuext_op
 */
#include "abi-info.h"
#include "compat.h"
#include "mm.h"
#include "trap.h"

/*
 * Whose pages are meant: the guest's own, or DOMID_IO's, devices of which it has
 * none.  Its own number is refused (Xen 4.17 get_pg_owner(), 3.x set_foreigndom()).
 */
static long check_domain(u32 domid)
{
	return domid == DOMID_SELF || domid == DOMID_IO ? 0 : -XEN_ESRCH;
}

/* The number of requests done goes to the guest if it asked for it. */
static void report_done(u64 pdone, u32 done)
{
	if (pdone)
		copy_to_guest(pdone, &done, sizeof(done));
}

static long machphys_update(u64 mfn, u64 pfn)
{
	if (!frame_owned(mfn))
		return -XEN_EINVAL;
	m2p[mfn] = pfn;
	if (guest32)
		((u32 *)direct(boot->m2p32))[mfn] = pfn;
	return 0;
}

/* An entry of a two-level guest has 32 bits, whatever comes with them. */
static u64 entry_value(u64 value)
{
	return likely(pte_bytes == 8) ? value : (u32)value;
}

/* An entry for a page of DOMID_IO's: no frame of the guest's is one (get_page_from_l1e()). */
static long check_device_entry(u64 mfn, u64 value)
{
	unsigned int type = frame_type(frame_table[mfn]);

	if (type > 1)
		return -XEN_EINVAL;
	return type == 1 && value & PTE_P && frame_owned(pte_mfn(value)) ? -XEN_EBUSY : 0;
}

static long update_one(const struct mmu_update *req, bool device)
{
	u64 cmd = req->ptr & (pte_bytes - 1), paddr = req->ptr - cmd;
	long rc = 0;

	/* The other commands came after 3.1. */
	if (ABI_VERSION < (4 << 16) && cmd > MMU_MACHPHYS_UPDATE)
		return -ABI_MMU_UNKNOWN;
	switch (cmd) {
	case MMU_NORMAL_PT_UPDATE:
	case MMU_PT_UPDATE_PRESERVE_AD:
	case MMU_PT_UPDATE_NO_TRANSLATE:
		if (unlikely(!frame_owned(paddr >> 12)))
			return -XEN_EINVAL;
		if (unlikely(device))
			rc = check_device_entry(paddr >> 12, entry_value(req->val));
		return rc ? rc
			  : entry_set(direct(paddr), entry_value(req->val),
				      cmd == MMU_PT_UPDATE_PRESERVE_AD);
	case MMU_MACHPHYS_UPDATE:
		return device ? -XEN_EINVAL : machphys_update(paddr >> 12, req->val);
	default:
		return -ABI_MMU_UNKNOWN;
	}
}

/* Before 4.0 one error stands for all refusals (Xen 3.1 arch/x86/mm.c). */
static long refused(long rc)
{
	if (ABI_VERSION < (4 << 16) && (rc == -XEN_EPERM || rc == -XEN_EBUSY))
		return -XEN_EINVAL;
	return rc;
}

HANDLE4(do_mmu_update, reqs, nr, pdone, domid)
{
	struct mmu_update req;
	u32 done, n = nr;
	long rc = 0;

	if (!guest_range_ok(reqs, n * sizeof(req)))
		return -XEN_EFAULT;
	if (check_domain(domid))
		return -XEN_ESRCH;
	for (done = 0; done < n; done++, reqs += sizeof(req)) {
		rc = copy_from_guest(&req, reqs, sizeof(req));
		if (!rc)
			rc = refused(update_one(&req, (u32)domid == DOMID_IO));
		if (rc)
			break;
	}
	report_done(pdone, done);
	return rc;
}

/* A bitmap of vCPUs, of which there is one: it is read because it may not be there. */
static long read_vcpu_mask(u64 mask)
{
	u64 bits;

	return copy_from_guest(&bits, mask, guest32 ? 4 : 8);
}

/* UVMF_*: what to flush, and in the other bits where. */
static long flush_after(u64 va, u64 flags)
{
	u64 where = flags & ~(u64)UVMF_FLUSHTYPE_MASK, what = flags & UVMF_FLUSHTYPE_MASK;
	long rc = 0;

	if (!what)
		return 0;
	if (where != UVMF_LOCAL && where != UVMF_ALL)
		rc = read_vcpu_mask(where);
	if (what == UVMF_TLB_FLUSH)
		tlb_flush();
	else
		invlpg(va);
	return rc;
}

/* 32-bit guests pass the value in two halves. */
HANDLE4(do_update_va_mapping, va, b, c, d)
{
	u64 value = entry_value(guest32 ? c << 32 | b : b), flags = guest32 ? d : c;
	void *slot = walk(this_vcpu(), va, 1);
	long rc;

	if (unlikely(!slot || frame_type(frame_table[virt_to_paddr(slot) >> 12]) != 1))
		return -XEN_EINVAL;
	rc = refused(entry_set(slot, value, false));
	return rc ? rc : flush_after(va, flags);
}

static long clear_page(u64 mfn)
{
	if (!frame_owned(mfn) || frame_type(frame_table[mfn]))
		return -XEN_EINVAL;
	memset(frame_ptr(mfn), 0, 4096);
	return 0;
}

static long copy_page(u64 to, u64 from)
{
	if (!frame_owned(from) || !frame_owned(to) || frame_type(frame_table[to]))
		return -XEN_EINVAL;
	memcpy(frame_ptr(to), frame_ptr(from), 4096);
	return 0;
}

static long set_ldt(struct vcpu *v, u64 base, u32 entries)
{
	if (entries > 8192 || (entries && ((base & 4095) || !guest_range_ok(base, 1))))
		return -XEN_EINVAL;
	if (v->ldt_base == base && v->ldt_entries == entries)
		return 0;
	v->ldt_base = base;
	v->ldt_entries = entries;
	load_ldt(v);
	return 0;
}

static long mmuext_one(struct vcpu *v, const struct mmuext_op *op)
{
	if (op->cmd > ABI_MMUEXT_LAST)
		return -ABI_MMU_UNKNOWN;
	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE:
	case MMUEXT_PIN_L2_TABLE:
	case MMUEXT_PIN_L3_TABLE:
	case MMUEXT_PIN_L4_TABLE:
		if (op->cmd - MMUEXT_PIN_L1_TABLE + 1 > root_level)
			return 0; /* as Xen: no such level here */
		return frame_pin(op->arg1.mfn, op->cmd - MMUEXT_PIN_L1_TABLE + 1);
	case MMUEXT_UNPIN_TABLE:
		return frame_unpin(op->arg1.mfn);
	case MMUEXT_NEW_BASEPTR:
		return root_set_kernel(v, op->arg1.mfn);
	case MMUEXT_NEW_USER_BASEPTR:
		if (guest32) /* compat_mmuext_op() of 3.1 knows it; a 32-bit Xen doesn't */
			return boot->paging == PAGING_PV32PAE && ABI_VERSION > (3 << 16)
				       ? -XEN_EINVAL
				       : -ABI_MMU_UNKNOWN;
		return root_set_user(v, op->arg1.mfn);
	case MMUEXT_TLB_FLUSH_MULTI:
		if (read_vcpu_mask((u64)op->arg2.vcpumask.p))
			return -XEN_EINVAL;
		/* fall through */
	case MMUEXT_TLB_FLUSH_LOCAL:
	case MMUEXT_TLB_FLUSH_ALL:
		tlb_flush();
		return 0;
	case MMUEXT_INVLPG_MULTI:
		if (read_vcpu_mask((u64)op->arg2.vcpumask.p))
			return -XEN_EINVAL;
		/* fall through */
	case MMUEXT_INVLPG_LOCAL:
	case MMUEXT_INVLPG_ALL:
		if (guest_range_ok(op->arg1.linear_addr, 1))
			invlpg(op->arg1.linear_addr);
		return 0;
	case MMUEXT_SET_LDT:
		return set_ldt(v, op->arg1.linear_addr, op->arg2.nr_ents);
	case MMUEXT_FLUSH_CACHE:
		return -ABI_FLUSH_CACHE; /* no device memory: Xen 4.17 cache_flush_permitted()
					  */
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		return -XEN_EINVAL;
	case MMUEXT_CLEAR_PAGE:
		return clear_page(op->arg1.mfn);
	case MMUEXT_COPY_PAGE:
		return copy_page(op->arg1.mfn, op->arg2.src_mfn);
	case MMUEXT_MARK_SUPER:
	case MMUEXT_UNMARK_SUPER:
		return -XEN_EOPNOTSUPP;
	default:
		return -ABI_MMU_UNKNOWN;
	}
}

static long copy_mmuext_op(struct mmuext_op *op, u64 from)
{
	struct mmuext_op32 op32;

	if (likely(!guest32))
		return copy_from_guest(op, from, sizeof(*op));
	if (copy_from_guest(&op32, from, sizeof(op32)))
		return -XEN_EFAULT;
	op->cmd = op32.cmd;
	op->arg1.mfn = op32.arg1;
	op->arg2.vcpumask.p = (void *)(u64)op32.arg2; /* or nr_ents, src_mfn */
	return 0;
}

HANDLE4(do_mmuext_op, ops, nr, pdone, domid)
{
	u64 size = guest32 ? sizeof(struct mmuext_op32) : sizeof(struct mmuext_op);
	struct vcpu *v = this_vcpu();
	struct mmuext_op op;
	u32 done, n = nr;
	long rc = 0;

	if (!guest_range_ok(ops, n * size))
		return -XEN_EFAULT;
	rc = check_domain(domid & 0xffff);
	if (!rc && domid != DOMID_SELF && ABI_VERSION >= (4 << 16))
		rc = -XEN_EPERM; /* xsm_mmuext_op(); 3.x doesn't look */
	if (rc)
		return rc;
	for (done = 0; done < n; done++, ops += size) {
		rc = copy_mmuext_op(&op, ops);
		if (rc)
			break;
		if (boot->flags & BOOT_TRACE)
			trace_call(v, __HYPERVISOR_mmuext_op, TRACE_MMUEXT, op.cmd,
				   op.arg1.mfn);
		rc = mmuext_one(v, &op);
		if (rc)
			break;
	}
	report_done(pdone, done);
	return rc;
}
