"""Rows of trackers, label inferences and shipments: most of the demo data."""

from collections.abc import Iterator
from functools import partial
from random import Random

from longshore.domains.demo import words
from longshore.domains.demo.cells import NULL, array, cell, document, line
from longshore.domains.demo.chance import pool, scatter
from longshore.domains.demo.clock import stamp
from longshore.domains.logistics.demo import pools
from longshore.domains.logistics.demo.directory import COMMON
from longshore.domains.logistics.demo.plan import Plan

TRACKER = f"""id type status chained_status provider tracking_number tracking_url tracking_updates
    tags destination_address destination_layout destination_location_id destination_contact_id
    sender_contact_id manifest_id current_shipment_id final_chained_shipment_id
    auto_close_shipments_option auto_close_shipments_status estimated_delivery_at {COMMON}"""
INFERENCE = f"""id status image_url media_urls raw_text barcode_values layout recipient sender
    extracted_recipient_name extracted_sender_name provider providers provider_name provider_id
    service_level_id service_level_name account_id tracking_number order_number rma_number
    purchase_order reference_number invoice_number weight dimensions matches errors exceptions
    error_details tags notes tracker_id location_id {COMMON}"""
SHIPMENT = f"""id type status provider tracking_number tracking_url tracking_updates label_url
    amount billed_amount fee currency paid payment_reference refund_status rates recommended_rate
    purchased_rate lead_time_mins rates_generated_at recipient sender destination_contact_id
    sender_contact_id coordinates parcels customs options tags layout_id container_id invoice_id
    barcode_values location_id user_id account_id fulfillment_id manifest_id inference_id tracker_id
    order_number rma_number invoice_number purchase_order reference_number notes
    estimated_delivery_at pickup_at {COMMON}"""

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_URL = "https://tracking.example.com"
# Statuses of 32 parcels, by frequency.
_STATUSES = (
    *("delivered",) * 10,
    *("completed",) * 6,
    *("pickup_available",) * 3,
    *("in_transit",) * 2,
    *("out_for_delivery",) * 2,
    *("created", "pending", "purchased", "picked_up", "delayed", "exception", "returned", "lost"),
    "canceled",
)
# Statuses at which a tracker closes its shipments.
_CLOSING = ("delivered", "completed", "pickup_available", "delivered")
# Statuses of 16 label inferences, by frequency.
_INFERENCE_STATUSES = (
    *("completed",) * 9,
    *("failed",) * 3,
    *("needs_review", "needs_review", "pending", "processing"),
)
_EXCEPTIONS = ("recipient not found", "several recipients match", "address is incomplete")
_MESSAGES = pools.messages()


def _updates(time: int, bits: int) -> str:
    """Return one to three messages of a carrier with some hours between."""
    first = f'[{{"at": "{stamp(time)}", "message": {_MESSAGES[0]}}}'
    if bits & 3 == 0:
        return first + "]"
    time += bits >> 4 & 0xFFFFFF
    second = f'{first}, {{"at": "{stamp(time)}", "message": {_MESSAGES[1 + (bits >> 8) % 4]}}}'
    if bits & 3 == 1:
        return second + "]"
    time += bits >> 6 & 0xFFFFFFF
    return f'{second}, {{"at": "{stamp(time)}", "message": {_MESSAGES[5 + (bits >> 12 & 3)]}}}]'


def trackers(plan: Plan) -> Iterator[str]:
    """Each tracker has one or two shipments of its time."""
    counts, names, moment = plan.counts, plan.names, plan.moments["track"]
    contact, location, shipment = names["ctct"], names["loc"], names["ship"]
    layouts = pools.layouts()
    tags = [array(choice) for choice in ((), (), words.TAGS[:1], words.TAGS[3:5], words.TAGS[5:])]
    for number in range(counts["track"]):
        time, bits = moment(number), scatter(number + plan.salt)
        carrier, tracking_number = plan.carrier(2 * number), plan.tracking_number(2 * number)
        receiver, status = plan.contact(number), _STATUSES[bits & 31]
        first = plan.first_at(number, "track", "ship")
        last = max(first, min(first + 1, plan.first_at(number + 1, "track", "ship") - 1))
        yield line(
            names["track"](number),
            "inbound" if bits & 96 else "outbound",
            status,
            status if bits & 32 else NULL,
            carrier,
            tracking_number,
            f"{_URL}/{carrier}/{tracking_number}",
            _updates(time, bits >> 7),
            tags[bits % 5],
            plan.person(receiver).address if bits & 3 else NULL,
            layouts[bits >> 4 & 3] if bits & 12 == 4 else NULL,
            location(receiver % counts["loc"]) if bits & 28 else NULL,
            contact(receiver) if bits & 112 else NULL,
            contact((bits >> 20) % counts["ctct"]) if bits & 192 == 64 else NULL,
            names["man"](plan.same_moment(number, "track", "man")) if bits & 15 == 2 else NULL,
            shipment(first),
            shipment(last) if bits & 1 else NULL,
            f"t\t{_CLOSING[bits >> 11 & 3]}" if bits & 1024 else "f\t\\N",
            stamp(time + 3 * _DAY_MS) if bits & 2048 else NULL,
            plan.common(number, time, bits),
        )


def _reading(random: Random, place: int, status: str) -> tuple[str, str]:
    # weight dimensions / errors exceptions error_details tags notes
    sizes = pools.measures(random)
    weight = sizes.pop("weight")
    failed = status == "failed"
    error = random.choice(("unreadable barcode", 'glare, "right" side', "no text found"))
    return (
        line(cell(weight if place % 5 else None), document(sizes if place % 4 else None)),
        line(
            array((error,) if failed else ()),
            array((random.choice(_EXCEPTIONS),) if status == "needs_review" else ()),
            document({"stage": "ocr", "code": place % 9, "boxes": [[1, 2.5, None]]})
            if failed
            else NULL,
            array(random.sample(words.TAGS, place % 3)),
            random.choice(pools.notes()),
        ),
    )


def inferences(plan: Plan) -> Iterator[str]:
    """Two of three inferences belong to a tracker of their time."""
    counts, names, moment = plan.counts, plan.names, plan.moments["inf_sl"]
    readings = {
        status: pool(f"readings {status}", 64, partial(_reading, status=status))
        for status in set(_INFERENCE_STATUSES)
    }
    people, layouts = pools.people(), pools.layouts()
    for number in range(counts["inf_sl"]):
        time, bits = moment(number), scatter(number + plan.salt)
        tracker = plan.first_at(number, "inf_sl", "track")
        carrier, tracking_number = plan.carrier(2 * tracker), plan.tracking_number(2 * tracker)
        receiver, sender = plan.contact(tracker), people[bits >> 10 & 1023]
        person, contact_id = plan.person(receiver), f'"{names["ctct"](receiver)}"'
        status, service = _INFERENCE_STATUSES[bits & 15], words.SERVICES[bits % 5]
        reading = readings[status][bits >> 12 & 63]
        found = f'{{"id": "prov_{carrier}", "name": "{carrier}", "confidence": 0.{bits % 36 + 64}}}'
        image = f"https://images.example.com/labels/{number}"
        yield line(
            names["inf_sl"](number),
            status,
            f"{image}.jpg",
            f"{{{image}-2.jpg,{image}-3.jpg}}" if bits & 7 == 1 else "{}",
            f"{person.label}\\n{carrier.upper()} {service}\\nTRACKING #: {tracking_number}",
            f"{{{tracking_number}}}" if bits & 7 else "{}",
            layouts[bits >> 2 & 3] if bits & 3 == 1 else NULL,
            plan.party(receiver, contact_id),
            f'{{"name": null, "address": {sender.address}}}' if bits & 3 else NULL,
            person.name,
            sender.name if bits & 3 else ("", NULL)[bits >> 2 & 1],
            found,
            f'[{found}, {{"id": "prov_dhl", "name": "dhl", "confidence": 0.08}}]',
            f"{carrier}\tprov_{carrier}\tsl_{carrier}_{service}\t{service}",
            f"acct_{bits % 9}" if bits & 1 else NULL,
            tracking_number,
            *_numbers(number, bits >> 16),
            reading[0],
            f'[{{"contact_id": {contact_id}, "score": 0.9{bits & 7}}}]' if bits & 24 else "[]",
            reading[1],
            names["track"](tracker) if number % 3 else NULL,
            names["loc"](bits % counts["loc"]) if bits & 7 else NULL,
            plan.common(number, time, bits),
        )


def _numbers(number: int, bits: int) -> tuple[str, str, str, str, str]:
    # order_number, return, purchase_order, reference_number, invoice_number
    return (
        f"SO-{100_000 + number}" if bits & 3 else (NULL, "")[bits >> 2 & 1],
        f"RMA-{number}" if bits & 7 == 4 else NULL,
        f"PO {number} / {bits & 63}" if bits & 7 == 1 else NULL,
        f"REF-{bits >> 4 & 0xFFFFF}" if bits & 24 == 8 else NULL,
        f"INV-{number}" if bits & 48 == 16 else NULL,
    )


def shipments(plan: Plan) -> Iterator[str]:
    counts, names, moment = plan.counts, plan.names, plan.moments["ship"]
    contact, prices, loads, notes = names["ctct"], pools.prices(), pools.loads(), pools.notes()
    for number in range(counts["ship"]):
        time, bits = moment(number), scatter(number + plan.salt)
        tracker = plan.same_moment(number, "ship", "track")
        first = plan.first_at(tracker, "track", "ship")
        parcel = 2 * tracker if number - first < 2 else 2 * number + 1
        carrier, tracking_number = plan.carrier(parcel), plan.tracking_number(parcel)
        receiver, sender = plan.contact(tracker), (bits >> 22) % counts["ctct"]
        receiver_id = contact(receiver)
        order, rma, purchase, reference, invoice = _numbers(number, bits >> 16)
        reading = plan.same_moment(number, "ship", "inf_sl")
        scanned = plan.first_at(reading, "inf_sl", "ship") == number
        yield line(
            names["ship"](number),
            "outbound" if bits & 96 else "inbound",
            _STATUSES[bits & 31],
            carrier,
            tracking_number,
            f"{_URL}/{carrier}/{tracking_number}" if bits & 15 else NULL,
            _updates(time, bits >> 7),
            f"https://labels.example.com/{number}.pdf" if bits & 7 else ("", NULL)[bits >> 3 & 1],
            prices[carrier][bits >> 24 & 255],
            stamp(time - 60_000 * (bits & 63)) if number > 99 and bits & 1 else NULL,
            plan.party(receiver, f'"{receiver_id}"') if bits & 127 else NULL,
            plan.party(sender, "null") if bits & 6 == 4 else NULL,
            receiver_id if bits & 112 else NULL,
            contact(sender) if bits & 7 == 5 else NULL,
            loads[bits >> 33 & 1023],
            f"{{{tracking_number}}}" if bits & 3 else "{}",
            names["loc"](receiver % counts["loc"]) if bits & 60 else NULL,
            f"user_{bits & 255:02x}" if bits & 4 else NULL,
            f"acct_{bits % 9}" if bits & 1 else NULL,
            names["ful"](plan.same_moment(number, "ship", "ful")) if bits & 7 == 2 else NULL,
            names["man"](plan.same_moment(number, "ship", "man")) if bits & 31 == 9 else NULL,
            names["inf_sl"](reading) if scanned else NULL,
            names["track"](tracker) if parcel == 2 * tracker else NULL,
            f"{order}\t{rma}\t{invoice}\t{purchase}\t{reference}",
            notes[bits % len(notes)],
            stamp(time + 3 * _DAY_MS + (bits >> 8 & 0xFFFFFFF)) if bits & 768 else NULL,
            stamp(time + 7 * _HOUR_MS) if bits & 256 else NULL,
            plan.common(number, time, bits),
        )
