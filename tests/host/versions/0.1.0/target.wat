(component
  (type $ty-lockgate:plugin/types@0.1.0 (;0;)
    (instance
      (type (;0;) (enum "debug" "info" "warn" "error"))
      (export (;1;) "level" (type (eq 0)))
      (type (;2;) (record (field "key" string) (field "value" string)))
      (export (;3;) "field" (type (eq 2)))
      (type (;4;) (enum "never" "same-key"))
      (export (;5;) "retry" (type (eq 4)))
      (type (;6;) string)
      (export (;7;) "json" (type (eq 6)))
      (type (;8;) (record (field "code" string) (field "message" string) (field "retry" 5) (field "retry-after-ms" u32) (field "details" 7)))
      (export (;9;) "failure" (type (eq 8)))
      (type (;10;) (list 3))
      (type (;11;) (record (field "project" string) (field "environment" string) (field "deployment" string) (field "attempt" u32) (field "name" string) (field "sequence" u32) (field "idempotency-key" string) (field "trace-parent" string) (field "extra" 10)))
      (export (;12;) "call" (type (eq 11)))
      (type (;13;) (record (field "name" string) (field "version" string) (field "summary" string) (field "config-schema" 7) (field "requests" 7) (field "extra" 10)))
      (export (;14;) "description" (type (eq 13)))
      (type (;15;) (record (field "path" string) (field "message" string)))
      (export (;16;) "issue" (type (eq 15)))
    )
  )
  (import "lockgate:plugin/types@0.1.0" (instance $lockgate:plugin/types@0.1.0 (;0;) (type $ty-lockgate:plugin/types@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "level" (type $level (;1;)))
  (alias export $lockgate:plugin/types@0.1.0 "field" (type $field (;2;)))
  (type $ty-lockgate:plugin/log@0.1.0 (;3;)
    (instance
      (alias outer 1 $level (type (;0;)))
      (export (;1;) "level" (type (eq 0)))
      (alias outer 1 $field (type (;2;)))
      (export (;3;) "field" (type (eq 2)))
      (type (;4;) (list 3))
      (type (;5;) (func (param "level" 1) (param "message" string) (param "fields" 4)))
      (export (;0;) "emit" (func (type 5)))
    )
  )
  (import "lockgate:plugin/log@0.1.0" (instance $lockgate:plugin/log@0.1.0 (;1;) (type $ty-lockgate:plugin/log@0.1.0)))
  (type $ty-lockgate:plugin/progress@0.1.0 (;4;)
    (instance
      (type (;0;) (func (param "percent" u32) (param "message" string)))
      (export (;0;) "report" (func (type 0)))
    )
  )
  (import "lockgate:plugin/progress@0.1.0" (instance $lockgate:plugin/progress@0.1.0 (;2;) (type $ty-lockgate:plugin/progress@0.1.0)))
  (type $ty-lockgate:plugin/control@0.1.0 (;5;)
    (instance
      (type (;0;) (func (result bool)))
      (export (;0;) "is-cancelled" (func (type 0)))
      (type (;1;) (func (result u32)))
      (export (;1;) "remaining-ms" (func (type 1)))
      (type (;2;) (func (param "ms" u32) (result bool)))
      (export (;2;) "wait" (func (type 2)))
    )
  )
  (import "lockgate:plugin/control@0.1.0" (instance $lockgate:plugin/control@0.1.0 (;3;) (type $ty-lockgate:plugin/control@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $failure (;6;)))
  (type $ty-lockgate:plugin/secrets@0.1.0 (;7;)
    (instance
      (alias outer 1 $failure (type (;0;)))
      (export (;1;) "failure" (type (eq 0)))
      (type (;2;) (result string (error 1)))
      (type (;3;) (func (param "name" string) (result 2)))
      (export (;0;) "token" (func (type 3)))
    )
  )
  (import "lockgate:plugin/secrets@0.1.0" (instance $lockgate:plugin/secrets@0.1.0 (;4;) (type $ty-lockgate:plugin/secrets@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type8 failure" (@name "failure") (;8;)))
  (type $ty-lockgate:plugin/state@0.1.0 (;9;)
    (instance
      (type (;0;) (list u8))
      (type (;1;) (record (field "value" 0) (field "version" u32)))
      (export (;2;) "entry" (type (eq 1)))
      (alias outer 1 $"#type8 failure" (type (;3;)))
      (export (;4;) "failure" (type (eq 3)))
      (type (;5;) (list 2))
      (type (;6;) (result 5 (error 4)))
      (type (;7;) (func (param "key" string) (result 6)))
      (export (;0;) "get" (func (type 7)))
      (type (;8;) (result u32 (error 4)))
      (type (;9;) (func (param "key" string) (param "value" 0) (param "expect" u32) (result 8)))
      (export (;1;) "put" (func (type 9)))
    )
  )
  (import "lockgate:plugin/state@0.1.0" (instance $lockgate:plugin/state@0.1.0 (;5;) (type $ty-lockgate:plugin/state@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type10 failure" (@name "failure") (;10;)))
  (type $ty-lockgate:plugin/artifacts@0.1.0 (;11;)
    (instance
      (export (;0;) "reader" (type (sub resource)))
      (alias outer 1 $"#type10 failure" (type (;1;)))
      (export (;2;) "failure" (type (eq 1)))
      (type (;3;) (borrow 0))
      (type (;4;) (list u8))
      (type (;5;) (result 4 (error 2)))
      (type (;6;) (func (param "self" 3) (param "max" u32) (result 5)))
      (export (;0;) "[method]reader.read" (func (type 6)))
      (type (;7;) (own 0))
      (type (;8;) (result 7 (error 2)))
      (type (;9;) (func (param "digest" string) (result 8)))
      (export (;1;) "open" (func (type 9)))
    )
  )
  (import "lockgate:plugin/artifacts@0.1.0" (instance $lockgate:plugin/artifacts@0.1.0 (;6;) (type $ty-lockgate:plugin/artifacts@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "field" (type $"#type12 field" (@name "field") (;12;)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type13 failure" (@name "failure") (;13;)))
  (type $ty-lockgate:plugin/http@0.1.0 (;14;)
    (instance
      (alias outer 1 $"#type12 field" (type (;0;)))
      (export (;1;) "field" (type (eq 0)))
      (type (;2;) (list 1))
      (type (;3;) (list u8))
      (type (;4;) (record (field "method" string) (field "url" string) (field "headers" 2) (field "body" 3) (field "timeout-ms" u32)))
      (export (;5;) "request" (type (eq 4)))
      (type (;6;) (record (field "status" u32) (field "headers" 2) (field "body" 3) (field "truncated" bool)))
      (export (;7;) "response" (type (eq 6)))
      (alias outer 1 $"#type13 failure" (type (;8;)))
      (export (;9;) "failure" (type (eq 8)))
      (type (;10;) (result 7 (error 9)))
      (type (;11;) (func (param "r" 5) (result 10)))
      (export (;0;) "send" (func (type 11)))
    )
  )
  (import "lockgate:plugin/http@0.1.0" (instance $lockgate:plugin/http@0.1.0 (;7;) (type $ty-lockgate:plugin/http@0.1.0)))
  (core module $main (;0;)
    (type (;0;) (func (param i32 i32 i32 i32 i32)))
    (type (;1;) (func (param i32 i32 i32)))
    (type (;2;) (func (result i32)))
    (type (;3;) (func (param i32) (result i32)))
    (type (;4;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;5;) (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (type (;6;) (func))
    (type (;7;) (func (param i32 i32 i32 i32) (result i32)))
    (type (;8;) (func (param i32 i32)))
    (type (;9;) (func (param i32 i32 i32 i32)))
    (type (;10;) (func (param i32 i32) (result i32)))
    (type (;11;) (func (param i32)))
    (type (;12;) (func (param i32 i32 i32 i32 i32 i32) (result i32)))
    (type (;13;) (func (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (type (;14;) (func (param i32 i32 i32) (result i32)))
    (type (;15;) (func (param i32 i32 i32 i32 i32) (result i32)))
    (import "lockgate:plugin/log@0.1.0" "emit" (func (;0;) (type 0)))
    (import "lockgate:plugin/progress@0.1.0" "report" (func (;1;) (type 1)))
    (import "lockgate:plugin/control@0.1.0" "is-cancelled" (func (;2;) (type 2)))
    (import "lockgate:plugin/control@0.1.0" "remaining-ms" (func (;3;) (type 2)))
    (import "lockgate:plugin/control@0.1.0" "wait" (func (;4;) (type 3)))
    (import "lockgate:plugin/secrets@0.1.0" "token" (func (;5;) (type 1)))
    (import "lockgate:plugin/state@0.1.0" "get" (func (;6;) (type 1)))
    (import "lockgate:plugin/state@0.1.0" "put" (func (;7;) (type 4)))
    (import "lockgate:plugin/artifacts@0.1.0" "[method]reader.read" (func (;8;) (type 1)))
    (import "lockgate:plugin/artifacts@0.1.0" "open" (func (;9;) (type 1)))
    (import "lockgate:plugin/http@0.1.0" "send" (func (;10;) (type 5)))
    (table (;0;) 1 1 funcref)
    (memory (;0;) 17)
    (global (;0;) (mut i32) i32.const 1048576)
    (export "memory" (memory 0))
    (export "_initialize" (func 12))
    (export "cabi_post_lockgate:target/target@0.1.0#describe" (func 46))
    (export "cabi_post_lockgate:target/target@0.1.0#validate" (func 47))
    (export "cabi_post_lockgate:target/target@0.1.0#plan" (func 48))
    (export "cabi_post_lockgate:target/target@0.1.0#apply" (func 49))
    (export "cabi_post_lockgate:target/target@0.1.0#undo" (func 50))
    (export "cabi_post_lockgate:target/target@0.1.0#observe" (func 51))
    (export "cabi_realloc" (func 52))
    (export "lockgate:target/target@0.1.0#describe" (func 65))
    (export "lockgate:target/target@0.1.0#validate" (func 66))
    (export "lockgate:target/target@0.1.0#plan" (func 67))
    (export "lockgate:target/target@0.1.0#apply" (func 68))
    (export "lockgate:target/target@0.1.0#undo" (func 69))
    (export "lockgate:target/target@0.1.0#observe" (func 70))
    (func (;11;) (type 6))
    (func (;12;) (type 6)
      block ;; label = @1
        i32.const 0
        i32.load offset=1049160
        i32.eqz
        br_if 0 (;@1;)
        unreachable
      end
      i32.const 0
      i32.const 1
      i32.store offset=1049160
      call 11
    )
    (func (;13;) (type 6))
    (func (;14;) (type 7) (param i32 i32 i32 i32) (result i32)
      (local i32 i32 i32 i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 4
      global.set 0
      block ;; label = @1
        block ;; label = @2
          local.get 1
          local.get 3
          i32.ne
          br_if 0 (;@2;)
          block ;; label = @3
            local.get 0
            local.get 2
            i32.ne
            br_if 0 (;@3;)
            i32.const 1
            local.set 3
            br 2 (;@1;)
          end
          block ;; label = @3
            block ;; label = @4
              local.get 1
              i32.const 16
              i32.gt_u
              br_if 0 (;@4;)
              block ;; label = @5
                local.get 1
                i32.const 4
                i32.ge_u
                br_if 0 (;@5;)
                local.get 0
                i32.load8_u
                local.get 2
                i32.load8_u
                i32.eq
                local.get 0
                local.get 1
                i32.const -1
                i32.add
                local.tee 3
                i32.add
                i32.load8_u
                local.get 2
                local.get 3
                i32.add
                i32.load8_u
                i32.eq
                i32.and
                local.get 0
                i32.load8_u offset=1
                local.get 2
                i32.load8_u offset=1
                i32.eq
                i32.and
                local.set 3
                br 4 (;@1;)
              end
              i32.const 0
              local.set 5
              local.get 4
              i32.const 0
              i32.store offset=8
              local.get 4
              local.get 1
              i32.const -4
              i32.add
              local.tee 3
              i32.store offset=12
              local.get 4
              local.get 1
              i32.const 1
              i32.shr_u
              i32.const 12
              i32.and
              local.tee 6
              i32.store offset=16
              local.get 4
              local.get 3
              local.get 6
              i32.sub
              i32.store offset=20
              i32.const 0
              local.set 1
              loop ;; label = @5
                local.get 5
                i32.const 4
                i32.eq
                br_if 2 (;@3;)
                local.get 4
                local.get 0
                local.get 4
                i32.const 8
                i32.add
                local.get 5
                i32.const 2
                i32.shl
                i32.add
                i32.load
                local.tee 7
                i32.add
                i32.load align=1
                i32.store offset=24
                i32.const 3
                local.set 3
                i32.const 0
                local.set 6
                loop ;; label = @6
                  local.get 6
                  i32.const 8
                  i32.shl
                  local.get 4
                  i32.const 24
                  i32.add
                  local.get 3
                  i32.add
                  i32.load8_u
                  i32.or
                  local.set 6
                  local.get 3
                  i32.const -1
                  i32.add
                  local.tee 3
                  i32.const -1
                  i32.ne
                  br_if 0 (;@6;)
                end
                local.get 4
                local.get 2
                local.get 7
                i32.add
                i32.load align=1
                i32.store offset=28
                i32.const 3
                local.set 3
                i32.const 0
                local.set 7
                loop ;; label = @6
                  local.get 7
                  i32.const 8
                  i32.shl
                  local.get 4
                  i32.const 28
                  i32.add
                  local.get 3
                  i32.add
                  i32.load8_u
                  i32.or
                  local.set 7
                  local.get 3
                  i32.const -1
                  i32.add
                  local.tee 3
                  i32.const -1
                  i32.ne
                  br_if 0 (;@6;)
                end
                local.get 5
                i32.const 1
                i32.add
                local.set 5
                local.get 7
                local.get 6
                i32.xor
                local.get 1
                i32.or
                local.set 1
                br 0 (;@5;)
              end
            end
            local.get 1
            i32.const -1
            i32.add
            i32.const 2
            i32.shr_u
            local.set 8
            i32.const 0
            local.set 5
            block ;; label = @4
              loop ;; label = @5
                local.get 5
                local.get 8
                i32.eq
                br_if 1 (;@4;)
                local.get 4
                local.get 0
                local.get 5
                i32.const 2
                i32.shl
                local.tee 7
                i32.add
                i32.load align=1
                i32.store offset=32
                i32.const 3
                local.set 3
                i32.const 0
                local.set 6
                loop ;; label = @6
                  local.get 6
                  i32.const 8
                  i32.shl
                  local.get 4
                  i32.const 32
                  i32.add
                  local.get 3
                  i32.add
                  i32.load8_u
                  i32.or
                  local.set 6
                  local.get 3
                  i32.const -1
                  i32.add
                  local.tee 3
                  i32.const -1
                  i32.ne
                  br_if 0 (;@6;)
                end
                local.get 4
                local.get 2
                local.get 7
                i32.add
                i32.load align=1
                i32.store offset=36
                i32.const 3
                local.set 3
                i32.const 0
                local.set 7
                loop ;; label = @6
                  local.get 7
                  i32.const 8
                  i32.shl
                  local.get 4
                  i32.const 36
                  i32.add
                  local.get 3
                  i32.add
                  i32.load8_u
                  i32.or
                  local.set 7
                  local.get 3
                  i32.const -1
                  i32.add
                  local.tee 3
                  i32.const -1
                  i32.ne
                  br_if 0 (;@6;)
                end
                local.get 5
                i32.const 1
                i32.add
                local.set 5
                local.get 6
                local.get 7
                i32.ne
                br_if 3 (;@2;)
                br 0 (;@5;)
              end
            end
            local.get 4
            local.get 0
            local.get 1
            i32.const -4
            i32.add
            local.tee 7
            i32.add
            i32.load align=1
            i32.store offset=40
            i32.const 0
            local.set 6
            i32.const 3
            local.set 3
            loop ;; label = @4
              local.get 6
              i32.const 8
              i32.shl
              local.get 4
              i32.const 40
              i32.add
              local.get 3
              i32.add
              i32.load8_u
              i32.or
              local.set 6
              local.get 3
              i32.const -1
              i32.add
              local.tee 3
              i32.const -1
              i32.ne
              br_if 0 (;@4;)
            end
            local.get 4
            local.get 2
            local.get 7
            i32.add
            i32.load align=1
            i32.store offset=44
            i32.const 0
            local.set 7
            i32.const 3
            local.set 3
            loop ;; label = @4
              local.get 7
              i32.const 8
              i32.shl
              local.get 4
              i32.const 44
              i32.add
              local.get 3
              i32.add
              i32.load8_u
              i32.or
              local.set 7
              local.get 3
              i32.const -1
              i32.add
              local.tee 3
              i32.const -1
              i32.ne
              br_if 0 (;@4;)
            end
            local.get 6
            local.get 7
            i32.eq
            local.set 3
            br 2 (;@1;)
          end
          local.get 1
          i32.eqz
          local.set 3
          br 1 (;@1;)
        end
        i32.const 0
        local.set 3
      end
      local.get 4
      i32.const 48
      i32.add
      global.set 0
      local.get 3
    )
    (func (;15;) (type 1) (param i32 i32 i32)
      (local i32)
      i32.const 0
      local.set 3
      loop ;; label = @1
        block ;; label = @2
          local.get 3
          i32.const 1024
          i32.ne
          br_if 0 (;@2;)
          local.get 1
          i32.const -1
          i32.add
          local.set 3
          block ;; label = @3
            loop ;; label = @4
              local.get 3
              i32.eqz
              br_if 1 (;@3;)
              local.get 2
              local.get 0
              i32.load8_u
              i32.const 2
              i32.shl
              i32.add
              local.get 3
              i32.store
              local.get 3
              i32.const -1
              i32.add
              local.set 3
              local.get 0
              i32.const 1
              i32.add
              local.set 0
              br 0 (;@4;)
            end
          end
          return
        end
        local.get 2
        local.get 3
        i32.add
        local.get 1
        i32.store
        local.get 3
        i32.const 4
        i32.add
        local.set 3
        br 0 (;@1;)
      end
    )
    (func (;16;) (type 8) (param i32 i32)
      local.get 0
      local.get 1
      call 19
      i32.store offset=4
      local.get 0
      local.get 1
      i32.store
    )
    (func (;17;) (type 9) (param i32 i32 i32 i32)
      (local i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 4
      global.set 0
      local.get 4
      i32.const 8
      i32.add
      local.get 1
      local.get 2
      local.get 3
      call 18
      local.get 0
      local.get 4
      i64.load offset=8
      i64.store align=4
      local.get 4
      i32.const 16
      i32.add
      global.set 0
    )
    (func (;18;) (type 9) (param i32 i32 i32 i32)
      (local i32)
      block ;; label = @1
        block ;; label = @2
          local.get 2
          i32.eqz
          br_if 0 (;@2;)
          i32.const 0
          local.set 4
          local.get 3
          i32.const 255
          i32.and
          local.set 3
          loop ;; label = @3
            local.get 2
            local.get 4
            i32.eq
            br_if 2 (;@1;)
            block ;; label = @4
              local.get 1
              local.get 4
              i32.add
              i32.load8_u
              local.get 3
              i32.ne
              br_if 0 (;@4;)
              local.get 0
              i32.const 1
              i32.store8 offset=4
              local.get 0
              local.get 4
              i32.store
              return
            end
            local.get 4
            i32.const 1
            i32.add
            local.set 4
            br 0 (;@3;)
          end
        end
        local.get 0
        i64.const 0
        i64.store align=4
        return
      end
      local.get 0
      i64.const 0
      i64.store align=4
    )
    (func (;19;) (type 3) (param i32) (result i32)
      (local i32 i32 i32)
      i32.const 0
      local.set 1
      loop ;; label = @1
        local.get 0
        local.get 1
        i32.add
        local.set 2
        local.get 1
        i32.const 1
        i32.add
        local.tee 3
        local.set 1
        local.get 2
        i32.load8_u
        br_if 0 (;@1;)
      end
      local.get 3
      i32.const -1
      i32.add
    )
    (func (;20;) (type 0) (param i32 i32 i32 i32 i32)
      (local i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 5
      global.set 0
      local.get 5
      i32.const 8
      i32.add
      local.get 1
      local.get 2
      i32.const 0
      local.get 3
      local.get 4
      call 21
      local.get 0
      local.get 5
      i64.load offset=8
      i64.store align=4
      local.get 5
      i32.const 16
      i32.add
      global.set 0
    )
    (func (;21;) (type 4) (param i32 i32 i32 i32 i32 i32)
      (local i32 i32 i32 i32 i32)
      block ;; label = @1
        local.get 2
        local.get 3
        i32.gt_u
        br_if 0 (;@1;)
        local.get 0
        i64.const 0
        i64.store align=4
        return
      end
      local.get 2
      local.get 3
      i32.sub
      local.set 6
      local.get 1
      local.get 3
      i32.add
      local.set 7
      i32.const 0
      local.set 8
      loop ;; label = @1
        block ;; label = @2
          block ;; label = @3
            local.get 8
            local.get 6
            i32.eq
            br_if 0 (;@3;)
            local.get 7
            local.get 8
            i32.add
            i32.load8_u
            i32.const 255
            i32.and
            local.set 9
            local.get 5
            local.set 2
            local.get 4
            local.set 1
            loop ;; label = @4
              local.get 2
              i32.eqz
              br_if 2 (;@2;)
              local.get 2
              i32.const -1
              i32.add
              local.set 2
              local.get 1
              i32.load8_u
              local.set 10
              local.get 1
              i32.const 1
              i32.add
              local.set 1
              local.get 9
              local.get 10
              i32.ne
              br_if 0 (;@4;)
            end
            local.get 0
            i32.const 1
            i32.store8 offset=4
            local.get 0
            local.get 8
            local.get 3
            i32.add
            i32.store
            return
          end
          local.get 0
          i64.const 0
          i64.store align=4
          return
        end
        local.get 8
        i32.const 1
        i32.add
        local.set 8
        br 0 (;@1;)
      end
    )
    (func (;22;) (type 0) (param i32 i32 i32 i32 i32)
      (local i32 i32 i64 i32 i64)
      global.get 0
      i32.const 1024
      i32.sub
      local.tee 5
      global.set 0
      i32.const 0
      local.set 6
      i64.const 0
      local.set 7
      block ;; label = @1
        local.get 2
        local.get 4
        i32.lt_u
        br_if 0 (;@1;)
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              block ;; label = @5
                local.get 4
                i32.const 1
                i32.gt_u
                br_if 0 (;@5;)
                local.get 4
                br_if 1 (;@4;)
                br 3 (;@2;)
              end
              block ;; label = @5
                block ;; label = @6
                  local.get 2
                  i32.const 52
                  i32.lt_u
                  br_if 0 (;@6;)
                  local.get 4
                  i32.const 5
                  i32.ge_u
                  br_if 1 (;@5;)
                end
                local.get 2
                local.get 4
                i32.sub
                local.set 2
                i32.const 0
                local.set 6
                loop ;; label = @6
                  local.get 6
                  local.get 2
                  i32.gt_u
                  br_if 3 (;@3;)
                  local.get 1
                  local.get 6
                  i32.add
                  local.get 4
                  local.get 3
                  local.get 4
                  call 14
                  i32.const 1
                  i32.and
                  br_if 4 (;@2;)
                  local.get 6
                  i32.const 1
                  i32.add
                  local.set 6
                  br 0 (;@6;)
                end
              end
              local.get 3
              local.get 4
              local.get 5
              call 15
              local.get 2
              local.get 4
              i32.sub
              local.set 8
              i32.const 0
              local.set 6
              loop ;; label = @5
                local.get 6
                local.get 8
                i32.gt_u
                br_if 2 (;@3;)
                local.get 1
                local.get 6
                i32.add
                local.tee 2
                local.get 4
                local.get 3
                local.get 4
                call 14
                i32.const 1
                i32.and
                br_if 3 (;@2;)
                local.get 5
                local.get 2
                local.get 4
                i32.add
                i32.const -1
                i32.add
                i32.load8_u
                i32.const 2
                i32.shl
                i32.add
                i32.load
                local.get 6
                i32.add
                local.set 6
                br 0 (;@5;)
              end
            end
            local.get 5
            local.get 1
            local.get 2
            local.get 3
            i32.load8_u
            call 18
            local.get 5
            i64.load
            local.tee 9
            i64.const -4294967296
            i64.and
            local.set 7
            local.get 9
            i32.wrap_i64
            local.set 6
            br 2 (;@1;)
          end
          i32.const 0
          local.set 6
          br 1 (;@1;)
        end
        i64.const 4294967296
        local.set 7
      end
      local.get 0
      local.get 7
      local.get 6
      i64.extend_i32_u
      i64.or
      i64.store align=4
      local.get 5
      i32.const 1024
      i32.add
      global.set 0
    )
    (func (;23;) (type 10) (param i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 32
      i32.sub
      local.tee 2
      global.set 0
      local.get 2
      i32.const 16
      i32.add
      local.get 0
      call 16
      local.get 2
      i32.const 8
      i32.add
      local.get 1
      call 16
      local.get 2
      i32.const 24
      i32.add
      local.get 2
      i32.load offset=16
      local.get 2
      i32.load offset=20
      local.get 2
      i32.load offset=8
      local.get 2
      i32.load offset=12
      call 22
      local.get 2
      i32.load8_u offset=28
      local.set 1
      local.get 2
      i32.load offset=24
      local.set 3
      local.get 2
      i32.const 32
      i32.add
      global.set 0
      local.get 0
      local.get 3
      i32.add
      i32.const 0
      local.get 1
      i32.const 1
      i32.and
      select
    )
    (func (;24;) (type 10) (param i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 32
      i32.sub
      local.tee 2
      global.set 0
      local.get 2
      i32.const 16
      i32.add
      local.get 0
      call 16
      local.get 2
      i32.const 8
      i32.add
      local.get 1
      call 16
      local.get 2
      i32.const 24
      i32.add
      local.get 2
      i32.load offset=16
      local.get 2
      i32.load offset=20
      local.tee 0
      local.get 2
      i32.load offset=8
      local.get 2
      i32.load offset=12
      call 20
      local.get 2
      i32.load8_u offset=28
      local.set 1
      local.get 2
      i32.load offset=24
      local.set 3
      local.get 2
      i32.const 32
      i32.add
      global.set 0
      local.get 3
      local.get 0
      local.get 1
      i32.const 1
      i32.and
      select
    )
    (func (;25;) (type 10) (param i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 2
      global.set 0
      local.get 0
      call 19
      local.set 3
      block ;; label = @1
        block ;; label = @2
          local.get 1
          br_if 0 (;@2;)
          local.get 0
          local.get 3
          i32.add
          local.set 1
          br 1 (;@1;)
        end
        local.get 2
        i32.const 8
        i32.add
        local.get 0
        local.get 3
        local.get 1
        call 17
        i32.const 0
        local.set 1
        local.get 2
        i32.load8_u offset=12
        i32.const 1
        i32.and
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        local.get 2
        i32.load offset=8
        i32.add
        local.set 1
      end
      local.get 2
      i32.const 16
      i32.add
      global.set 0
      local.get 1
    )
    (func (;26;) (type 3) (param i32) (result i32)
      (local i32)
      block ;; label = @1
        local.get 0
        i32.const 16
        i32.add
        i32.const 4
        call 27
        local.tee 1
        i32.eqz
        br_if 0 (;@1;)
        local.get 1
        local.get 0
        i64.extend_i32_u
        i64.const 5
        i64.shl
        i64.const 4
        i64.or
        i64.store offset=8
        local.get 1
        i32.const 16
        i32.add
        return
      end
      i32.const 0
      i32.const 48
      i32.store offset=1049164
      i32.const 0
    )
    (func (;27;) (type 10) (param i32 i32) (result i32)
      (local i32 i32 i32)
      i32.const 0
      local.set 2
      block ;; label = @1
        i32.const -1
        local.get 0
        i32.const 4
        i32.add
        local.tee 3
        local.get 3
        local.get 0
        i32.lt_u
        select
        local.tee 0
        i32.const 1
        local.get 1
        i32.shl
        local.tee 1
        local.get 0
        local.get 1
        i32.gt_u
        select
        local.tee 1
        i32.const -1
        i32.add
        i32.clz
        local.tee 0
        i32.eqz
        br_if 0 (;@1;)
        block ;; label = @2
          block ;; label = @3
            i32.const 32
            local.get 0
            i32.sub
            local.tee 0
            i32.const 65535
            i32.and
            i32.const -3
            i32.add
            local.tee 3
            i32.const 13
            i32.ge_u
            br_if 0 (;@3;)
            i64.const 1
            local.get 0
            i64.extend_i32_u
            i64.const 65535
            i64.and
            i64.shl
            i32.wrap_i64
            local.set 4
            local.get 3
            i32.const 2
            i32.shl
            local.tee 0
            i32.load offset=1049220
            local.tee 1
            i32.eqz
            br_if 1 (;@2;)
            local.get 0
            i32.const 1049220
            i32.add
            local.get 4
            local.get 1
            i32.add
            i32.const -4
            i32.add
            i32.load
            i32.store
            local.get 1
            return
          end
          local.get 1
          i32.const 65539
          i32.add
          i32.const 16
          i32.shr_u
          call 29
          local.set 2
          br 1 (;@1;)
        end
        local.get 0
        i32.const 1049168
        i32.add
        local.set 1
        block ;; label = @2
          local.get 0
          i32.load offset=1049168
          local.tee 0
          i32.const 65535
          i32.and
          br_if 0 (;@2;)
          i32.const 1
          call 29
          local.tee 0
          i32.eqz
          br_if 1 (;@1;)
          local.get 1
          local.get 0
          local.get 4
          i32.add
          i32.store
          local.get 0
          return
        end
        local.get 1
        local.get 0
        local.get 4
        i32.add
        i32.store
        local.get 0
        return
      end
      local.get 2
    )
    (func (;28;) (type 1) (param i32 i32 i32)
      (local i32)
      block ;; label = @1
        i32.const 32
        local.get 1
        i32.const 4
        i32.add
        local.tee 1
        i32.const 1
        local.get 2
        i32.shl
        local.tee 2
        local.get 1
        local.get 2
        i32.gt_u
        select
        local.tee 2
        i32.const -1
        i32.add
        i32.clz
        i32.sub
        local.tee 1
        i32.const 65535
        i32.and
        i32.const -3
        i32.add
        local.tee 3
        i32.const 13
        i32.ge_u
        br_if 0 (;@1;)
        local.get 0
        i64.const 1
        local.get 1
        i64.extend_i32_s
        i64.shl
        i32.wrap_i64
        i32.add
        i32.const -4
        i32.add
        local.get 3
        i32.const 2
        i32.shl
        local.tee 2
        i32.load offset=1049220
        i32.store
        local.get 2
        local.get 0
        i32.store offset=1049220
        return
      end
      local.get 0
      i64.const 1
      i32.const 32
      local.get 2
      i32.const 65539
      i32.add
      i32.const 16
      i32.shr_u
      i32.const -1
      i32.add
      i32.clz
      i32.sub
      local.tee 2
      i64.extend_i32_u
      i64.const 65535
      i64.and
      i64.shl
      i32.wrap_i64
      i32.const 16
      i32.shl
      i32.add
      i32.const -4
      i32.add
      local.get 2
      i32.const 65535
      i32.and
      i32.const 2
      i32.shl
      local.tee 2
      i32.load offset=1049272
      i32.store
      local.get 2
      local.get 0
      i32.store offset=1049272
    )
    (func (;29;) (type 3) (param i32) (result i32)
      (local i32 i32)
      i64.const 1
      i32.const 32
      local.get 0
      i32.const -1
      i32.add
      i32.clz
      i32.sub
      local.tee 0
      i64.extend_i32_u
      i64.const 65535
      i64.and
      i64.shl
      i32.wrap_i64
      local.set 1
      block ;; label = @1
        local.get 0
        i32.const 65535
        i32.and
        i32.const 2
        i32.shl
        local.tee 2
        i32.load offset=1049272
        local.tee 0
        i32.eqz
        br_if 0 (;@1;)
        local.get 2
        i32.const 1049272
        i32.add
        local.get 1
        i32.const 16
        i32.shl
        local.get 0
        i32.add
        i32.const -4
        i32.add
        i32.load
        i32.store
        local.get 0
        return
      end
      i32.const 0
      local.get 1
      memory.grow
      local.tee 0
      i32.const 16
      i32.shl
      local.get 0
      i32.const -1
      i32.eq
      select
    )
    (func (;30;) (type 11) (param i32)
      (local i64 i32 i32)
      block ;; label = @1
        local.get 0
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.const 1
        local.get 0
        i32.const -8
        i32.add
        i64.load
        local.tee 1
        i32.wrap_i64
        local.tee 2
        i32.shl
        local.tee 3
        i32.sub
        local.get 3
        local.get 1
        i64.const 5
        i64.shr_u
        i32.wrap_i64
        i32.add
        local.get 2
        call 28
      end
    )
    (func (;31;) (type 10) (param i32 i32) (result i32)
      (local i64 i32 i32 i32 i32 i32 i32 i32 i32)
      block ;; label = @1
        local.get 1
        br_if 0 (;@1;)
        local.get 0
        call 30
        i32.const 0
        return
      end
      block ;; label = @1
        local.get 0
        br_if 0 (;@1;)
        local.get 1
        call 26
        return
      end
      i32.const -1
      i32.const 1
      local.get 0
      i32.const -8
      i32.add
      i64.load
      local.tee 2
      i32.wrap_i64
      local.tee 3
      i32.shl
      local.tee 4
      local.get 1
      i32.add
      local.tee 5
      i32.const 4
      i32.add
      local.tee 6
      local.get 6
      local.get 5
      i32.lt_u
      select
      local.tee 6
      local.get 4
      local.get 6
      local.get 4
      i32.gt_u
      select
      local.set 6
      local.get 0
      local.get 4
      i32.sub
      local.set 7
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 4
              local.get 2
              i64.const 5
              i64.shr_u
              i32.wrap_i64
              local.tee 8
              i32.add
              local.tee 9
              i32.const 4
              i32.add
              local.tee 10
              local.get 4
              local.get 10
              local.get 4
              i32.gt_u
              select
              local.tee 10
              i32.const 32768
              i32.gt_u
              br_if 0 (;@4;)
              local.get 6
              i32.const -1
              i32.add
              i32.clz
              local.tee 6
              i32.eqz
              br_if 1 (;@3;)
              i64.const 1
              i32.const 32
              local.get 10
              i32.const -1
              i32.add
              i32.clz
              i32.sub
              i64.extend_i32_u
              i64.const 65535
              i64.and
              i64.shl
              i32.wrap_i64
              i64.const 1
              i32.const 32
              local.get 6
              i32.sub
              i64.extend_i32_u
              i64.const 65535
              i64.and
              i64.shl
              i32.wrap_i64
              i32.ne
              br_if 1 (;@3;)
              br 2 (;@2;)
            end
            i64.const 1
            i32.const 32
            local.get 10
            i32.const 65539
            i32.add
            i32.const 16
            i32.shr_u
            i32.const -1
            i32.add
            i32.clz
            i32.sub
            i64.extend_i32_u
            i64.const 65535
            i64.and
            i64.shl
            i32.wrap_i64
            i64.const 1
            i32.const 32
            local.get 6
            i32.const 65539
            i32.add
            i32.const 16
            i32.shr_u
            i32.const -1
            i32.add
            i32.clz
            i32.sub
            i64.extend_i32_u
            i64.const 65535
            i64.and
            i64.shl
            i32.wrap_i64
            i32.eq
            br_if 1 (;@2;)
          end
          block ;; label = @3
            local.get 5
            local.get 3
            call 27
            local.tee 5
            i32.eqz
            br_if 0 (;@3;)
            local.get 5
            local.get 4
            i32.add
            local.set 5
            block ;; label = @4
              local.get 1
              local.get 8
              local.get 1
              local.get 8
              i32.lt_u
              select
              local.tee 6
              i32.eqz
              br_if 0 (;@4;)
              i32.const 0
              local.set 4
              loop ;; label = @5
                local.get 5
                local.get 4
                i32.add
                local.get 0
                local.get 4
                i32.add
                i32.load8_u
                i32.store8
                local.get 4
                i32.const 1
                i32.add
                local.tee 4
                local.get 6
                i32.lt_u
                br_if 0 (;@5;)
              end
            end
            local.get 7
            local.get 9
            local.get 3
            call 28
            br 2 (;@1;)
          end
          i32.const 0
          i32.const 48
          i32.store offset=1049164
          i32.const 0
          return
        end
        local.get 7
        local.get 4
        i32.add
        local.set 5
      end
      local.get 5
      i32.const -8
      i32.add
      local.get 2
      i64.const 31
      i64.and
      local.get 1
      i64.extend_i32_u
      i64.const 5
      i64.shl
      i64.or
      i64.store
      local.get 5
    )
    (func (;32;) (type 11) (param i32)
      (local i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 1
      global.set 0
      local.get 1
      i32.const 1048779
      call 33
      local.get 1
      i32.const 8
      i32.add
      i32.const 1049049
      call 33
      local.get 1
      i32.const 16
      i32.add
      i32.const 1049055
      call 33
      local.get 1
      i32.const 24
      i32.add
      i32.const 1048674
      call 33
      local.get 1
      i32.const 32
      i32.add
      i32.const 1048594
      call 33
      i32.const 1049005
      call 34
      local.set 2
      local.get 1
      i32.const 1
      i32.store offset=44
      local.get 1
      local.get 2
      i32.store offset=40
      local.get 0
      local.get 1
      i32.const 48
      memory.copy
      local.get 1
      i32.const 48
      i32.add
      global.set 0
    )
    (func (;33;) (type 8) (param i32 i32)
      (local i32 i32)
      local.get 1
      call 72
      local.tee 2
      i32.const 1
      i32.add
      call 26
      local.set 3
      block ;; label = @1
        local.get 2
        i32.eqz
        br_if 0 (;@1;)
        local.get 2
        i32.eqz
        br_if 0 (;@1;)
        local.get 3
        local.get 1
        local.get 2
        memory.copy
      end
      local.get 0
      local.get 2
      i32.store offset=4
      local.get 0
      local.get 3
      i32.store
      local.get 3
      local.get 2
      i32.add
      i32.const 0
      i32.store8
    )
    (func (;34;) (type 3) (param i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 1
      global.set 0
      i32.const 16
      call 26
      local.set 2
      local.get 1
      i32.const 1048953
      call 33
      local.get 1
      i32.const 8
      i32.add
      local.get 0
      call 33
      local.get 2
      local.get 1
      i64.load offset=8 align=4
      i64.store offset=8 align=4
      local.get 2
      local.get 1
      i64.load align=4
      i64.store align=4
      local.get 1
      i32.const 16
      i32.add
      global.set 0
      local.get 2
    )
    (func (;35;) (type 8) (param i32 i32)
      (local i32 i32 i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 2
      global.set 0
      local.get 1
      i64.const 0
      i64.store align=4
      local.get 0
      i32.load
      local.set 3
      local.get 0
      i32.load offset=4
      local.tee 0
      i32.const 1
      i32.add
      call 26
      local.set 4
      block ;; label = @1
        local.get 0
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.eqz
        br_if 0 (;@1;)
        local.get 4
        local.get 3
        local.get 0
        memory.copy
      end
      local.get 4
      local.get 0
      i32.add
      i32.const 0
      i32.store8
      block ;; label = @1
        local.get 4
        i32.const 1049096
        call 23
        i32.eqz
        br_if 0 (;@1;)
        i32.const 16
        call 26
        local.set 0
        local.get 1
        i32.const 1
        i32.store offset=4
        local.get 1
        local.get 0
        i32.store
        local.get 2
        i32.const 1048975
        call 33
        local.get 2
        i32.const 8
        i32.add
        i32.const 1048811
        call 33
        local.get 0
        local.get 2
        i64.load offset=8 align=4
        i64.store offset=8 align=4
        local.get 0
        local.get 2
        i64.load align=4
        i64.store align=4
      end
      local.get 2
      i32.const 16
      i32.add
      global.set 0
    )
    (func (;36;) (type 12) (param i32 i32 i32 i32 i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 240
      i32.sub
      local.tee 6
      global.set 0
      block ;; label = @1
        block ;; label = @2
          local.get 3
          i32.load offset=4
          br_if 0 (;@2;)
          local.get 6
          i32.const 0
          i32.store offset=192
          local.get 6
          i32.const 196
          i32.add
          i32.const 1048891
          call 37
          local.get 6
          i64.const 0
          i64.store offset=208 align=4
          local.get 6
          i32.const 1
          i32.store offset=204
          local.get 6
          i64.const 0
          i64.store offset=216 align=4
          local.get 6
          i32.const 224
          i32.add
          i32.const 1048576
          call 33
          local.get 6
          i64.const 0
          i64.store offset=232 align=4
          local.get 6
          i32.const 192
          i32.add
          local.set 3
          br 1 (;@1;)
        end
        i32.const 72
        call 26
        local.set 3
        local.get 6
        i32.const 156
        i32.add
        i32.const 1048948
        call 33
        local.get 6
        i32.const 156
        i32.add
        i32.const 8
        i32.add
        i32.const 1048928
        call 33
        local.get 6
        i32.const 156
        i32.add
        i32.const 16
        i32.add
        i32.const 1049083
        call 33
        local.get 6
        i32.const 0
        i32.store offset=188
        local.get 6
        i64.const 0
        i64.store offset=180 align=4
        local.get 3
        local.get 6
        i32.const 156
        i32.add
        i32.const 36
        memory.copy
        local.get 6
        i32.const 120
        i32.add
        i32.const 1048735
        call 33
        local.get 6
        i64.const 0
        i64.store offset=136 align=4
        local.get 6
        i64.const 0
        i64.store offset=128 align=4
        local.get 6
        i32.const 0
        i32.store16 offset=145 align=1
        local.get 6
        i32.const 1
        i32.store8 offset=144
        local.get 6
        i32.const 0
        i32.store8 offset=147
        local.get 6
        i32.const 148
        i32.add
        i32.const 1049045
        call 33
        local.get 3
        i32.const 36
        i32.add
        local.get 6
        i32.const 120
        i32.add
        i32.const 36
        memory.copy
        i32.const 72
        call 26
        local.set 7
        local.get 6
        i32.const 84
        i32.add
        i32.const 1049033
        call 33
        local.get 6
        i32.const 84
        i32.add
        i32.const 8
        i32.add
        i32.const 1048969
        call 33
        local.get 6
        i32.const 84
        i32.add
        i32.const 16
        i32.add
        i32.const 1049001
        call 33
        local.get 6
        i32.const 2
        i32.store offset=116
        local.get 6
        local.get 3
        i32.store offset=112
        local.get 6
        i32.const 1
        i32.store offset=108
        local.get 7
        local.get 6
        i32.const 84
        i32.add
        i32.const 36
        memory.copy
        local.get 6
        i32.const 48
        i32.add
        i32.const 1049033
        call 33
        local.get 6
        i32.const 48
        i32.add
        i32.const 8
        i32.add
        i32.const 1048969
        call 33
        local.get 6
        i32.const 48
        i32.add
        i32.const 16
        i32.add
        i32.const 1048874
        call 33
        local.get 6
        i64.const 0
        i64.store offset=76 align=4
        local.get 6
        i32.const 4
        i32.store offset=72
        local.get 7
        i32.const 36
        i32.add
        local.get 6
        i32.const 48
        i32.add
        i32.const 36
        memory.copy
        local.get 6
        i64.const 0
        i64.store offset=1 align=1
        local.get 6
        i32.const 1
        i32.store8
        local.get 6
        i64.const 0
        i64.store offset=8 align=1
        local.get 6
        i32.const 16
        i32.add
        i32.const 1048852
        call 33
        local.get 6
        i32.const 2
        i32.store offset=28
        local.get 6
        local.get 7
        i32.store offset=24
        local.get 6
        i32.const 32
        i32.add
        i32.const 1048714
        call 33
        i32.const 1048864
        call 34
        local.set 3
        local.get 6
        i32.const 1
        i32.store offset=44
        local.get 6
        local.get 3
        i32.store offset=40
        local.get 6
        local.set 3
      end
      local.get 4
      local.get 3
      i32.const 48
      memory.copy
      local.get 6
      i32.const 240
      i32.add
      global.set 0
      i32.const 1
    )
    (func (;37;) (type 8) (param i32 i32)
      (local i32 i32)
      local.get 1
      call 72
      local.tee 2
      i32.const 1
      i32.add
      call 26
      local.set 3
      block ;; label = @1
        local.get 2
        i32.eqz
        br_if 0 (;@1;)
        local.get 2
        i32.eqz
        br_if 0 (;@1;)
        local.get 3
        local.get 1
        local.get 2
        memory.copy
      end
      local.get 0
      local.get 2
      i32.store offset=4
      local.get 0
      local.get 3
      i32.store
      local.get 3
      local.get 2
      i32.add
      i32.const 0
      i32.store8
    )
    (func (;38;) (type 13) (param i32 i32 i32 i32 i32 i32 i32) (result i32)
      (local i32 i32 i32 i32)
      global.get 0
      i32.const 144
      i32.sub
      local.tee 7
      global.set 0
      block ;; label = @1
        block ;; label = @2
          local.get 4
          i32.load offset=4
          br_if 0 (;@2;)
          local.get 5
          local.get 6
          call 39
          local.set 4
          br 1 (;@1;)
        end
        local.get 1
        i32.load
        local.set 4
        local.get 1
        i32.load offset=4
        local.tee 1
        i32.const 1
        i32.add
        call 26
        local.set 8
        block ;; label = @2
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 8
          local.get 4
          local.get 1
          memory.copy
        end
        i32.const 0
        local.set 4
        local.get 8
        local.get 1
        i32.add
        i32.const 0
        i32.store8
        block ;; label = @2
          local.get 8
          i32.const 1049089
          call 23
          i32.eqz
          br_if 0 (;@2;)
          local.get 7
          i32.const 112
          i32.add
          i32.const 1048917
          call 33
          local.get 7
          i32.const 120
          i32.add
          i32.const 1048793
          call 33
          local.get 7
          i64.const 0
          i64.store offset=128 align=4
          local.get 7
          i32.const 136
          i32.add
          i32.const 1048576
          call 33
          local.get 6
          local.get 7
          i64.load offset=136 align=4
          i64.store offset=24 align=4
          local.get 6
          local.get 7
          i64.load offset=128 align=4
          i64.store offset=16 align=4
          local.get 6
          local.get 7
          i64.load offset=120 align=4
          i64.store offset=8 align=4
          local.get 6
          local.get 7
          i64.load offset=112 align=4
          i64.store align=4
          br 1 (;@1;)
        end
        local.get 2
        i32.load
        local.set 4
        local.get 2
        i32.load offset=4
        local.tee 1
        i32.const 1
        i32.add
        call 26
        local.set 2
        block ;; label = @2
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 2
          local.get 4
          local.get 1
          memory.copy
        end
        i32.const 0
        local.set 4
        local.get 2
        local.get 1
        i32.add
        i32.const 0
        i32.store8
        local.get 7
        i32.const 104
        i32.add
        local.get 2
        i32.const 1048834
        i32.const 1048756
        call 40
        call 33
        local.get 7
        i32.const 104
        i32.add
        local.get 7
        i32.const 100
        i32.add
        local.get 6
        call 63
        i32.eqz
        br_if 0 (;@1;)
        i32.const 0
        local.set 4
        local.get 7
        i32.load offset=100
        call 53
        i32.const 1024
        local.get 7
        i32.const 92
        i32.add
        local.get 6
        call 62
        i32.eqz
        br_if 0 (;@1;)
        i32.const 1049112
        local.set 9
        block ;; label = @2
          local.get 3
          i32.load offset=12
          i32.const 2
          i32.ne
          br_if 0 (;@2;)
          i32.const 1049125
          i32.const 1049112
          local.get 3
          i32.load offset=8
          i32.load offset=32
          i32.const 2
          i32.eq
          select
          local.set 9
        end
        local.get 3
        i32.load offset=16
        local.set 4
        local.get 3
        i32.load offset=20
        local.tee 1
        i32.const 1
        i32.add
        call 26
        local.set 2
        block ;; label = @2
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 2
          local.get 4
          local.get 1
          memory.copy
        end
        i32.const 0
        local.set 4
        local.get 2
        local.get 1
        i32.add
        i32.const 0
        i32.store8
        local.get 2
        i32.const 1048911
        i32.const 0
        call 40
        local.set 3
        local.get 7
        i32.load offset=92
        local.set 10
        local.get 7
        i32.load offset=96
        local.tee 1
        i32.const 1
        i32.add
        call 26
        local.set 2
        block ;; label = @2
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 2
          local.get 10
          local.get 1
          memory.copy
        end
        local.get 2
        local.get 1
        i32.add
        i32.const 0
        i32.store8
        local.get 7
        i32.const 32
        i32.add
        i32.const 16
        i32.add
        i32.const 0
        i32.store
        local.get 7
        local.get 2
        i32.store offset=44
        local.get 7
        i32.const 1049156
        i32.store offset=40
        local.get 7
        local.get 3
        i32.store offset=36
        local.get 7
        local.get 9
        i32.store offset=32
        local.get 0
        local.get 8
        i32.const 1049105
        local.get 7
        i32.const 32
        i32.add
        call 41
        local.get 6
        call 42
        i32.eqz
        br_if 0 (;@1;)
        i32.const 1
        local.set 4
        call 56
        local.set 6
        call 57
        local.set 1
        i32.const 1
        call 58
        local.set 8
        local.get 7
        i64.const 0
        i64.store offset=53 align=1
        local.get 7
        i32.const 1
        i32.store8 offset=52
        local.get 7
        i64.const 0
        i64.store offset=60 align=1
        local.get 7
        i32.const 52
        i32.add
        i32.const 16
        i32.add
        i32.const 1049025
        call 33
        local.get 7
        i32.const 16
        i32.add
        i32.const 0
        i32.store
        local.get 7
        i32.const 1048733
        i32.store offset=12
        local.get 7
        i32.const 1048964
        i32.const 1048983
        local.get 1
        select
        i32.store offset=8
        local.get 7
        i32.const 1049132
        i32.store offset=4
        local.get 7
        i32.const 1048964
        i32.const 1048983
        local.get 6
        local.get 8
        i32.or
        i32.const 1
        i32.and
        select
        i32.store
        local.get 7
        i32.const 76
        i32.add
        i32.const 1049143
        local.get 7
        call 41
        call 33
        i32.const 1049014
        call 34
        local.set 6
        local.get 7
        i32.const 1
        i32.store offset=88
        local.get 7
        local.get 6
        i32.store offset=84
        local.get 5
        local.get 7
        i32.const 52
        i32.add
        i32.const 40
        memory.copy
      end
      local.get 7
      i32.const 144
      i32.add
      global.set 0
      local.get 4
    )
    (func (;39;) (type 10) (param i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 96
      i32.sub
      local.tee 2
      global.set 0
      local.get 2
      i32.const 88
      i32.add
      i32.const 1048933
      call 33
      local.get 2
      i32.const 80
      i32.add
      i32.const 1048768
      call 33
      local.get 2
      i32.const 72
      i32.add
      i32.const 1048844
      call 33
      local.get 2
      i64.const 0
      i64.store offset=64
      i32.const 1
      local.get 2
      i32.const 88
      i32.add
      local.get 2
      i32.const 64
      i32.add
      call 54
      i32.const 50
      local.get 2
      i32.const 80
      i32.add
      call 55
      i32.const 0
      local.set 3
      block ;; label = @1
        local.get 2
        i32.const 72
        i32.add
        local.get 2
        i32.const 56
        i32.add
        local.get 1
        call 60
        i32.eqz
        br_if 0 (;@1;)
        local.get 2
        i32.const 48
        i32.add
        i32.const 1048763
        call 37
        block ;; label = @2
          block ;; label = @3
            local.get 2
            i32.load offset=60
            br_if 0 (;@3;)
            i32.const 0
            local.set 3
            br 1 (;@2;)
          end
          local.get 2
          i32.load offset=56
          i32.load offset=8
          local.set 3
        end
        local.get 2
        i32.const 72
        i32.add
        local.get 2
        i32.const 48
        i32.add
        local.get 3
        local.get 2
        i32.const 44
        i32.add
        local.get 1
        call 61
        local.tee 3
        i32.eqz
        br_if 0 (;@1;)
        local.get 2
        i32.const 0
        i32.store offset=4
        local.get 2
        i32.const 8
        i32.add
        i32.const 1048891
        call 37
        local.get 2
        i32.const 1
        i32.store offset=16
        local.get 2
        i32.const 20
        i32.add
        i32.const 1048891
        call 33
        local.get 2
        i32.const 28
        i32.add
        i32.const 1048576
        call 33
        local.get 2
        i64.const 0
        i64.store offset=36 align=4
        local.get 0
        local.get 2
        i32.const 4
        i32.add
        i32.const 40
        memory.copy
      end
      local.get 2
      i32.const 96
      i32.add
      global.set 0
      local.get 3
    )
    (func (;40;) (type 14) (param i32 i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 3
      global.set 0
      local.get 3
      i32.const 0
      i32.store offset=40
      local.get 3
      i32.const 1049042
      i32.store offset=36
      local.get 3
      local.get 1
      i32.store offset=32
      local.get 0
      i32.const 1049103
      local.get 3
      i32.const 32
      i32.add
      call 41
      call 23
      local.set 0
      block ;; label = @1
        local.get 2
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.eqz
        br_if 0 (;@1;)
        local.get 3
        i32.const 0
        i32.store offset=24
        local.get 3
        i32.const 1049042
        i32.store offset=20
        local.get 3
        local.get 2
        i32.store offset=16
        local.get 0
        i32.const 1049103
        local.get 3
        i32.const 16
        i32.add
        call 41
        call 23
        local.set 0
      end
      block ;; label = @1
        block ;; label = @2
          local.get 0
          i32.eqz
          br_if 0 (;@2;)
          local.get 0
          local.get 2
          local.get 1
          local.get 2
          select
          call 72
          i32.add
          i32.const 2
          i32.add
          i32.const 34
          call 25
          local.tee 0
          i32.eqz
          br_if 0 (;@2;)
          local.get 0
          i32.const 1
          i32.add
          local.tee 1
          i32.const 1049103
          call 24
          local.tee 2
          i32.const 1
          i32.add
          call 26
          local.set 0
          block ;; label = @3
            local.get 2
            i32.eqz
            br_if 0 (;@3;)
            local.get 2
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            local.get 1
            local.get 2
            memory.copy
          end
          local.get 0
          local.get 2
          i32.add
          i32.const 0
          i32.store8
          br 1 (;@1;)
        end
        local.get 3
        i32.const 0
        i32.store
        i32.const 1049157
        local.get 3
        call 41
        local.set 0
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;41;) (type 10) (param i32 i32) (result i32)
      (local i32 i32 i32 i32 i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 2
      global.set 0
      local.get 2
      local.get 1
      i32.store offset=12
      block ;; label = @1
        block ;; label = @2
          local.get 0
          br_if 0 (;@2;)
          i32.const 0
          local.set 3
          br 1 (;@1;)
        end
        i32.const 0
        local.set 4
        local.get 2
        i32.load offset=12
        local.set 1
        i32.const 0
        local.set 3
        loop ;; label = @2
          local.get 3
          local.get 0
          call 72
          local.tee 5
          local.get 4
          i32.add
          local.tee 6
          i32.const 1
          i32.add
          call 31
          local.set 3
          block ;; label = @3
            local.get 5
            i32.const 1
            i32.add
            local.tee 5
            i32.eqz
            br_if 0 (;@3;)
            local.get 3
            local.get 4
            i32.add
            local.get 0
            local.get 5
            memory.copy
          end
          local.get 2
          local.get 1
          i32.const 4
          i32.add
          local.tee 5
          i32.store offset=12
          local.get 1
          i32.load
          local.set 0
          local.get 6
          local.set 4
          local.get 5
          local.set 1
          local.get 0
          br_if 0 (;@2;)
        end
      end
      local.get 2
      i32.const 16
      i32.add
      global.set 0
      local.get 3
    )
    (func (;42;) (type 7) (param i32 i32 i32 i32) (result i32)
      (local i32 i32 i32 i32 i32)
      global.get 0
      i32.const 128
      i32.sub
      local.tee 4
      global.set 0
      local.get 4
      i32.const 120
      i32.add
      i32.const 1048917
      call 33
      i32.const 0
      local.set 5
      block ;; label = @1
        local.get 4
        i32.const 120
        i32.add
        local.get 4
        i32.const 112
        i32.add
        local.get 3
        call 59
        i32.eqz
        br_if 0 (;@1;)
        local.get 4
        i32.const 80
        i32.add
        i32.const 1048897
        call 33
        local.get 4
        i32.const 80
        i32.add
        i32.const 8
        i32.or
        local.set 6
        local.get 4
        i32.load offset=112
        local.set 7
        local.get 4
        i32.load offset=116
        local.tee 5
        i32.const 1
        i32.add
        call 26
        local.set 8
        block ;; label = @2
          local.get 5
          i32.eqz
          br_if 0 (;@2;)
          local.get 5
          i32.eqz
          br_if 0 (;@2;)
          local.get 8
          local.get 7
          local.get 5
          memory.copy
        end
        local.get 8
        local.get 5
        i32.add
        i32.const 0
        i32.store8
        local.get 4
        i32.const 0
        i32.store offset=4
        local.get 4
        local.get 8
        i32.store
        local.get 6
        i32.const 1049117
        local.get 4
        call 41
        call 33
        local.get 4
        i32.const 96
        i32.add
        i32.const 1048740
        call 33
        local.get 4
        local.get 0
        i64.load offset=40 align=4
        i64.store offset=104
        local.get 4
        i32.const 72
        i32.add
        local.get 2
        call 33
        local.get 4
        i32.const 36
        i32.add
        i32.const 1049037
        call 33
        local.get 4
        i32.const 36
        i32.add
        i32.const 8
        i32.add
        local.get 1
        i32.const 1048924
        i32.const 0
        call 40
        call 33
        local.get 4
        i32.const 2
        i32.store offset=56
        local.get 4
        i32.const 10000
        i32.store offset=68
        local.get 4
        local.get 4
        i64.load offset=72 align=4
        i64.store offset=60 align=4
        local.get 4
        local.get 4
        i32.const 80
        i32.add
        i32.store offset=52
        local.get 4
        i32.const 36
        i32.add
        local.get 4
        i32.const 12
        i32.add
        local.get 3
        call 64
        local.set 5
      end
      local.get 4
      i32.const 128
      i32.add
      global.set 0
      local.get 5
    )
    (func (;43;) (type 13) (param i32 i32 i32 i32 i32 i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 7
      global.set 0
      block ;; label = @1
        block ;; label = @2
          local.get 4
          i32.load offset=4
          br_if 0 (;@2;)
          local.get 5
          local.get 6
          call 39
          local.set 4
          br 1 (;@1;)
        end
        local.get 1
        i32.load
        local.set 4
        local.get 1
        i32.load offset=4
        local.tee 1
        i32.const 1
        i32.add
        call 26
        local.set 8
        block ;; label = @2
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 1
          i32.eqz
          br_if 0 (;@2;)
          local.get 8
          local.get 4
          local.get 1
          memory.copy
        end
        i32.const 0
        local.set 4
        local.get 8
        local.get 1
        i32.add
        i32.const 0
        i32.store8
        local.get 0
        local.get 8
        i32.const 1048878
        local.get 6
        call 42
        i32.eqz
        br_if 0 (;@1;)
        local.get 7
        i64.const 0
        i64.store offset=9 align=1
        i32.const 1
        local.set 4
        local.get 7
        i32.const 1
        i32.store8 offset=8
        local.get 7
        i64.const 0
        i64.store offset=16 align=1
        local.get 7
        i32.const 24
        i32.add
        i32.const 1048989
        call 33
        local.get 7
        i32.const 32
        i32.add
        i32.const 1048576
        call 33
        local.get 7
        i64.const 0
        i64.store offset=40 align=4
        local.get 5
        local.get 7
        i32.const 8
        i32.add
        i32.const 40
        memory.copy
      end
      local.get 7
      i32.const 48
      i32.add
      global.set 0
      local.get 4
    )
    (func (;44;) (type 15) (param i32 i32 i32 i32 i32) (result i32)
      (local i32 i32 i32)
      global.get 0
      i32.const 64
      i32.sub
      local.tee 5
      global.set 0
      local.get 1
      i32.load
      local.set 6
      local.get 1
      i32.load offset=4
      local.tee 1
      i32.const 1
      i32.add
      call 26
      local.set 7
      block ;; label = @1
        local.get 1
        i32.eqz
        br_if 0 (;@1;)
        local.get 1
        i32.eqz
        br_if 0 (;@1;)
        local.get 7
        local.get 6
        local.get 1
        memory.copy
      end
      local.get 7
      local.get 1
      i32.add
      i32.const 0
      i32.store8
      block ;; label = @1
        local.get 0
        local.get 7
        i32.const 1048956
        local.get 4
        call 42
        local.tee 1
        i32.eqz
        br_if 0 (;@1;)
        i32.const 56
        call 26
        local.set 7
        local.get 5
        i32.const 8
        i32.add
        i32.const 1049033
        call 33
        local.get 5
        i32.const 16
        i32.add
        i32.const 1048969
        call 33
        local.get 5
        i32.const 24
        i32.add
        i32.const 1049001
        call 33
        local.get 5
        i32.const 32
        i32.add
        i32.const 1048883
        call 33
        local.get 5
        i32.const 40
        i32.add
        i32.const 1048996
        call 33
        local.get 5
        i32.const 0
        i32.store16 offset=53 align=1
        local.get 5
        i32.const 2
        i32.store8 offset=52
        local.get 5
        i32.const 100
        i32.store offset=48
        local.get 5
        i32.const 0
        i32.store8 offset=55
        local.get 5
        i32.const 56
        i32.add
        i32.const 1048579
        call 33
        local.get 7
        local.get 5
        i32.const 8
        i32.add
        i32.const 56
        memory.copy
        local.get 3
        i32.const 1
        i32.store offset=4
        local.get 3
        local.get 7
        i32.store
      end
      local.get 5
      i32.const 64
      i32.add
      global.set 0
      local.get 1
    )
    (func (;45;) (type 6)
      unreachable
    )
    (func (;46;) (type 11) (param i32)
      (local i32 i32)
      block ;; label = @1
        local.get 0
        i32.load offset=4
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load
        call 30
      end
      block ;; label = @1
        local.get 0
        i32.load offset=12
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=8
        call 30
      end
      block ;; label = @1
        local.get 0
        i32.load offset=20
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=16
        call 30
      end
      block ;; label = @1
        local.get 0
        i32.load offset=28
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=24
        call 30
      end
      block ;; label = @1
        local.get 0
        i32.load offset=36
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=32
        call 30
      end
      block ;; label = @1
        local.get 0
        i32.load offset=44
        local.tee 1
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=40
        local.tee 2
        local.set 0
        loop ;; label = @2
          block ;; label = @3
            local.get 0
            i32.const 4
            i32.add
            i32.load
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load
            call 30
          end
          block ;; label = @3
            local.get 0
            i32.const 12
            i32.add
            i32.load
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.const 8
            i32.add
            i32.load
            call 30
          end
          local.get 0
          i32.const 16
          i32.add
          local.set 0
          local.get 1
          i32.const -1
          i32.add
          local.tee 1
          br_if 0 (;@2;)
        end
        local.get 2
        call 30
      end
    )
    (func (;47;) (type 11) (param i32)
      (local i32 i32)
      block ;; label = @1
        local.get 0
        i32.load offset=4
        local.tee 1
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load
        local.tee 2
        local.set 0
        loop ;; label = @2
          block ;; label = @3
            local.get 0
            i32.const 4
            i32.add
            i32.load
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load
            call 30
          end
          block ;; label = @3
            local.get 0
            i32.const 12
            i32.add
            i32.load
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.const 8
            i32.add
            i32.load
            call 30
          end
          local.get 0
          i32.const 16
          i32.add
          local.set 0
          local.get 1
          i32.const -1
          i32.add
          local.tee 1
          br_if 0 (;@2;)
        end
        local.get 2
        call 30
      end
    )
    (func (;48;) (type 11) (param i32)
      (local i32 i32 i32 i32 i32 i32 i32)
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 0
              i32.load8_u
              br_table 0 (;@4;) 1 (;@3;) 3 (;@1;)
            end
            block ;; label = @4
              local.get 0
              i32.load offset=12
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=8
              call 30
            end
            block ;; label = @4
              local.get 0
              i32.load offset=24
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=20
              call 30
            end
            block ;; label = @4
              local.get 0
              i32.load offset=32
              local.tee 1
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=28
              local.set 2
              i32.const 0
              local.set 3
              loop ;; label = @5
                block ;; label = @6
                  local.get 2
                  local.get 3
                  i32.const 36
                  i32.mul
                  i32.add
                  local.tee 4
                  i32.load offset=4
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load
                  call 30
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=12
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=8
                  call 30
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=20
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=16
                  call 30
                end
                block ;; label = @6
                  local.get 4
                  i32.load offset=32
                  local.tee 5
                  i32.eqz
                  br_if 0 (;@6;)
                  local.get 4
                  i32.load offset=28
                  local.set 6
                  i32.const 0
                  local.set 7
                  loop ;; label = @7
                    block ;; label = @8
                      local.get 6
                      local.get 7
                      i32.add
                      local.tee 4
                      i32.const 4
                      i32.add
                      i32.load
                      i32.eqz
                      br_if 0 (;@8;)
                      local.get 4
                      i32.load
                      call 30
                    end
                    block ;; label = @8
                      local.get 4
                      i32.const 12
                      i32.add
                      i32.load
                      i32.eqz
                      br_if 0 (;@8;)
                      local.get 4
                      i32.const 8
                      i32.add
                      i32.load
                      call 30
                    end
                    block ;; label = @8
                      local.get 4
                      i32.const 20
                      i32.add
                      i32.load
                      i32.eqz
                      br_if 0 (;@8;)
                      local.get 4
                      i32.const 16
                      i32.add
                      i32.load
                      call 30
                    end
                    block ;; label = @8
                      local.get 4
                      i32.const 32
                      i32.add
                      i32.load
                      i32.eqz
                      br_if 0 (;@8;)
                      local.get 4
                      i32.const 28
                      i32.add
                      i32.load
                      call 30
                    end
                    local.get 7
                    i32.const 36
                    i32.add
                    local.set 7
                    local.get 5
                    i32.const -1
                    i32.add
                    local.tee 5
                    br_if 0 (;@7;)
                  end
                  local.get 6
                  call 30
                end
                local.get 3
                i32.const 1
                i32.add
                local.tee 3
                local.get 1
                i32.ne
                br_if 0 (;@5;)
              end
              local.get 2
              call 30
            end
            block ;; label = @4
              local.get 0
              i32.load offset=40
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=36
              call 30
            end
            local.get 0
            i32.load offset=48
            local.tee 7
            i32.eqz
            br_if 2 (;@1;)
            local.get 0
            i32.load offset=44
            local.tee 5
            local.set 4
            loop ;; label = @4
              block ;; label = @5
                local.get 4
                i32.const 4
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 4
                i32.load
                call 30
              end
              block ;; label = @5
                local.get 4
                i32.const 12
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 4
                i32.const 8
                i32.add
                i32.load
                call 30
              end
              local.get 4
              i32.const 16
              i32.add
              local.set 4
              local.get 7
              i32.const -1
              i32.add
              local.tee 7
              br_if 0 (;@4;)
              br 2 (;@2;)
            end
          end
          block ;; label = @3
            local.get 0
            i32.load offset=8
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=4
            call 30
          end
          block ;; label = @3
            local.get 0
            i32.load offset=16
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=12
            call 30
          end
          local.get 0
          i32.load offset=32
          i32.eqz
          br_if 1 (;@1;)
          local.get 0
          i32.load offset=28
          local.set 5
        end
        local.get 5
        call 30
      end
    )
    (func (;49;) (type 11) (param i32)
      (local i32 i32)
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 0
              i32.load8_u
              br_table 0 (;@4;) 1 (;@3;) 3 (;@1;)
            end
            block ;; label = @4
              local.get 0
              i32.load offset=12
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=8
              call 30
            end
            block ;; label = @4
              local.get 0
              i32.load offset=24
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=20
              call 30
            end
            block ;; label = @4
              local.get 0
              i32.load offset=32
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=28
              call 30
            end
            local.get 0
            i32.load offset=40
            local.tee 1
            i32.eqz
            br_if 2 (;@1;)
            local.get 0
            i32.load offset=36
            local.tee 2
            local.set 0
            loop ;; label = @4
              block ;; label = @5
                local.get 0
                i32.const 4
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 0
                i32.load
                call 30
              end
              block ;; label = @5
                local.get 0
                i32.const 12
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 0
                i32.const 8
                i32.add
                i32.load
                call 30
              end
              local.get 0
              i32.const 16
              i32.add
              local.set 0
              local.get 1
              i32.const -1
              i32.add
              local.tee 1
              br_if 0 (;@4;)
              br 2 (;@2;)
            end
          end
          block ;; label = @3
            local.get 0
            i32.load offset=8
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=4
            call 30
          end
          block ;; label = @3
            local.get 0
            i32.load offset=16
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=12
            call 30
          end
          local.get 0
          i32.load offset=32
          i32.eqz
          br_if 1 (;@1;)
          local.get 0
          i32.load offset=28
          local.set 2
        end
        local.get 2
        call 30
      end
    )
    (func (;50;) (type 11) (param i32)
      (local i32 i32)
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 0
              i32.load8_u
              br_table 0 (;@4;) 1 (;@3;) 3 (;@1;)
            end
            block ;; label = @4
              local.get 0
              i32.load offset=12
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=8
              call 30
            end
            block ;; label = @4
              local.get 0
              i32.load offset=24
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=20
              call 30
            end
            block ;; label = @4
              local.get 0
              i32.load offset=32
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=28
              call 30
            end
            local.get 0
            i32.load offset=40
            local.tee 1
            i32.eqz
            br_if 2 (;@1;)
            local.get 0
            i32.load offset=36
            local.tee 2
            local.set 0
            loop ;; label = @4
              block ;; label = @5
                local.get 0
                i32.const 4
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 0
                i32.load
                call 30
              end
              block ;; label = @5
                local.get 0
                i32.const 12
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 0
                i32.const 8
                i32.add
                i32.load
                call 30
              end
              local.get 0
              i32.const 16
              i32.add
              local.set 0
              local.get 1
              i32.const -1
              i32.add
              local.tee 1
              br_if 0 (;@4;)
              br 2 (;@2;)
            end
          end
          block ;; label = @3
            local.get 0
            i32.load offset=8
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=4
            call 30
          end
          block ;; label = @3
            local.get 0
            i32.load offset=16
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=12
            call 30
          end
          local.get 0
          i32.load offset=32
          i32.eqz
          br_if 1 (;@1;)
          local.get 0
          i32.load offset=28
          local.set 2
        end
        local.get 2
        call 30
      end
    )
    (func (;51;) (type 11) (param i32)
      (local i32 i32 i32)
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 0
              i32.load8_u
              br_table 0 (;@4;) 1 (;@3;) 3 (;@1;)
            end
            local.get 0
            i32.load offset=8
            local.tee 1
            i32.eqz
            br_if 2 (;@1;)
            local.get 0
            i32.load offset=4
            local.set 2
            i32.const 0
            local.set 3
            loop ;; label = @4
              block ;; label = @5
                local.get 2
                local.get 3
                i32.add
                local.tee 0
                i32.const 4
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 0
                i32.load
                call 30
              end
              block ;; label = @5
                local.get 0
                i32.const 12
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 0
                i32.const 8
                i32.add
                i32.load
                call 30
              end
              block ;; label = @5
                local.get 0
                i32.const 20
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 0
                i32.const 16
                i32.add
                i32.load
                call 30
              end
              block ;; label = @5
                local.get 0
                i32.const 28
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 0
                i32.const 24
                i32.add
                i32.load
                call 30
              end
              block ;; label = @5
                local.get 0
                i32.const 36
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 0
                i32.const 32
                i32.add
                i32.load
                call 30
              end
              block ;; label = @5
                local.get 0
                i32.const 52
                i32.add
                i32.load
                i32.eqz
                br_if 0 (;@5;)
                local.get 0
                i32.const 48
                i32.add
                i32.load
                call 30
              end
              local.get 3
              i32.const 56
              i32.add
              local.set 3
              local.get 1
              i32.const -1
              i32.add
              local.tee 1
              br_if 0 (;@4;)
              br 2 (;@2;)
            end
          end
          block ;; label = @3
            local.get 0
            i32.load offset=8
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=4
            call 30
          end
          block ;; label = @3
            local.get 0
            i32.load offset=16
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=12
            call 30
          end
          local.get 0
          i32.load offset=32
          i32.eqz
          br_if 1 (;@1;)
          local.get 0
          i32.load offset=28
          local.set 2
        end
        local.get 2
        call 30
      end
    )
    (func (;52;) (type 7) (param i32 i32 i32 i32) (result i32)
      block ;; label = @1
        local.get 3
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        local.get 3
        call 31
        local.tee 2
        br_if 0 (;@1;)
        call 45
        unreachable
      end
      local.get 2
    )
    (func (;53;) (type 3) (param i32) (result i32)
      local.get 0
    )
    (func (;54;) (type 1) (param i32 i32 i32)
      local.get 0
      local.get 1
      i32.load
      local.get 1
      i32.load offset=4
      local.get 2
      i32.load
      local.get 2
      i32.load offset=4
      call 0
    )
    (func (;55;) (type 8) (param i32 i32)
      local.get 0
      local.get 1
      i32.load
      local.get 1
      i32.load offset=4
      call 1
    )
    (func (;56;) (type 2) (result i32)
      call 2
      i32.const 0
      i32.ne
    )
    (func (;57;) (type 2) (result i32)
      call 3
    )
    (func (;58;) (type 3) (param i32) (result i32)
      local.get 0
      call 4
      i32.const 0
      i32.ne
    )
    (func (;59;) (type 14) (param i32 i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 3
      global.set 0
      local.get 0
      i32.load
      local.get 0
      i32.load offset=4
      local.get 3
      i32.const 12
      i32.add
      call 5
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 3
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 3
            i32.load offset=20
            local.set 4
            local.get 3
            i32.load offset=16
            local.set 0
          end
          local.get 1
          local.get 4
          i32.store offset=4
          local.get 1
          local.get 0
          i32.store
          i32.const 1
          local.set 0
          br 1 (;@1;)
        end
        i32.const 0
        local.set 0
        local.get 2
        i32.const 0
        i32.store16 offset=17 align=1
        local.get 2
        local.get 3
        i32.load8_u offset=32
        i32.store8 offset=16
        local.get 2
        local.get 3
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 2
        local.get 3
        i64.load offset=16 align=4
        i64.store align=4
        local.get 2
        i32.const 0
        i32.store8 offset=19
        local.get 2
        local.get 3
        i32.load offset=44
        i32.store offset=28
        local.get 2
        local.get 3
        i64.load offset=36 align=4
        i64.store offset=20 align=4
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;60;) (type 14) (param i32 i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 3
      global.set 0
      local.get 0
      i32.load
      local.get 0
      i32.load offset=4
      local.get 3
      i32.const 12
      i32.add
      call 6
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 3
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 3
            i32.load offset=20
            local.set 4
            local.get 3
            i32.load offset=16
            local.set 0
          end
          local.get 1
          local.get 4
          i32.store offset=4
          local.get 1
          local.get 0
          i32.store
          i32.const 1
          local.set 0
          br 1 (;@1;)
        end
        i32.const 0
        local.set 0
        local.get 2
        i32.const 0
        i32.store16 offset=17 align=1
        local.get 2
        local.get 3
        i32.load8_u offset=32
        i32.store8 offset=16
        local.get 2
        local.get 3
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 2
        local.get 3
        i64.load offset=16 align=4
        i64.store align=4
        local.get 2
        i32.const 0
        i32.store8 offset=19
        local.get 2
        local.get 3
        i32.load offset=44
        i32.store offset=28
        local.get 2
        local.get 3
        i64.load offset=36 align=4
        i64.store offset=20 align=4
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;61;) (type 15) (param i32 i32 i32 i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 5
      global.set 0
      local.get 0
      i32.load
      local.get 0
      i32.load offset=4
      local.get 1
      i32.load
      local.get 1
      i32.load offset=4
      local.get 2
      local.get 5
      i32.const 12
      i32.add
      call 7
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 5
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 5
            i32.load offset=16
            local.set 1
          end
          local.get 3
          local.get 1
          i32.store
          i32.const 1
          local.set 1
          br 1 (;@1;)
        end
        i32.const 0
        local.set 1
        local.get 4
        i32.const 0
        i32.store16 offset=17 align=1
        local.get 4
        local.get 5
        i32.load8_u offset=32
        i32.store8 offset=16
        local.get 4
        local.get 5
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 4
        local.get 5
        i64.load offset=16 align=4
        i64.store align=4
        local.get 4
        i32.const 0
        i32.store8 offset=19
        local.get 4
        local.get 5
        i32.load offset=44
        i32.store offset=28
        local.get 4
        local.get 5
        i64.load offset=36 align=4
        i64.store offset=20 align=4
      end
      local.get 5
      i32.const 48
      i32.add
      global.set 0
      local.get 1
    )
    (func (;62;) (type 7) (param i32 i32 i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 4
      global.set 0
      local.get 0
      local.get 1
      local.get 4
      i32.const 12
      i32.add
      call 8
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 4
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 4
            i32.load offset=20
            local.set 0
            local.get 4
            i32.load offset=16
            local.set 1
          end
          local.get 2
          local.get 0
          i32.store offset=4
          local.get 2
          local.get 1
          i32.store
          i32.const 1
          local.set 2
          br 1 (;@1;)
        end
        i32.const 0
        local.set 2
        local.get 3
        i32.const 0
        i32.store16 offset=17 align=1
        local.get 3
        local.get 4
        i32.load8_u offset=32
        i32.store8 offset=16
        local.get 3
        local.get 4
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 3
        local.get 4
        i64.load offset=16 align=4
        i64.store align=4
        local.get 3
        i32.const 0
        i32.store8 offset=19
        local.get 3
        local.get 4
        i32.load offset=44
        i32.store offset=28
        local.get 3
        local.get 4
        i64.load offset=36 align=4
        i64.store offset=20 align=4
      end
      local.get 4
      i32.const 48
      i32.add
      global.set 0
      local.get 2
    )
    (func (;63;) (type 14) (param i32 i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 3
      global.set 0
      local.get 0
      i32.load
      local.get 0
      i32.load offset=4
      local.get 3
      i32.const 12
      i32.add
      call 9
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 3
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 3
            i32.load offset=16
            local.set 0
          end
          local.get 1
          local.get 0
          i32.store
          i32.const 1
          local.set 0
          br 1 (;@1;)
        end
        i32.const 0
        local.set 0
        local.get 2
        i32.const 0
        i32.store16 offset=17 align=1
        local.get 2
        local.get 3
        i32.load8_u offset=32
        i32.store8 offset=16
        local.get 2
        local.get 3
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 2
        local.get 3
        i64.load offset=16 align=4
        i64.store align=4
        local.get 2
        i32.const 0
        i32.store8 offset=19
        local.get 2
        local.get 3
        i32.load offset=44
        i32.store offset=28
        local.get 2
        local.get 3
        i64.load offset=36 align=4
        i64.store offset=20 align=4
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;64;) (type 14) (param i32 i32 i32) (result i32)
      (local i32 i32 i32 i32 i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 3
      global.set 0
      local.get 0
      i32.load
      local.get 0
      i32.load offset=4
      local.get 0
      i32.load offset=8
      local.get 0
      i32.load offset=12
      local.get 0
      i32.load offset=16
      local.get 0
      i32.load offset=20
      local.get 0
      i32.load offset=24
      local.get 0
      i32.load offset=28
      local.get 0
      i32.load offset=32
      local.get 3
      i32.const 12
      i32.add
      call 10
      i32.const 0
      local.set 0
      i32.const 0
      local.set 4
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 3
              i32.load8_u offset=12
              br_table 0 (;@4;) 2 (;@2;) 1 (;@3;)
            end
            local.get 3
            i32.load8_u offset=36
            i32.const 0
            i32.ne
            local.set 0
            local.get 3
            i32.load offset=28
            local.set 5
            local.get 3
            i32.load offset=24
            local.set 6
            local.get 3
            i32.load offset=20
            local.set 7
            local.get 3
            i32.load offset=16
            local.set 8
            local.get 3
            i32.load offset=32
            local.set 4
          end
          local.get 1
          local.get 0
          i32.store offset=20
          local.get 1
          local.get 4
          i32.store offset=16
          local.get 1
          local.get 5
          i32.store offset=12
          local.get 1
          local.get 6
          i32.store offset=8
          local.get 1
          local.get 7
          i32.store offset=4
          local.get 1
          local.get 8
          i32.store
          i32.const 1
          local.set 0
          br 1 (;@1;)
        end
        local.get 2
        local.get 3
        i32.load offset=44
        i32.store offset=28
        local.get 2
        local.get 3
        i64.load offset=36 align=4
        i64.store offset=20 align=4
        local.get 2
        local.get 3
        i32.load8_u offset=32
        i32.store offset=16
        local.get 2
        local.get 3
        i64.load offset=24 align=4
        i64.store offset=8 align=4
        local.get 2
        local.get 3
        i64.load offset=16 align=4
        i64.store align=4
        i32.const 0
        local.set 0
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;65;) (type 2) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 0
      global.set 0
      local.get 0
      call 32
      i32.const 0
      local.get 0
      i64.load align=4
      i64.store offset=1049340 align=4
      i32.const 0
      local.get 0
      i64.load offset=8 align=4
      i64.store offset=1049348 align=4
      i32.const 0
      local.get 0
      i64.load offset=16 align=4
      i64.store offset=1049356 align=4
      i32.const 0
      local.get 0
      i64.load offset=24 align=4
      i64.store offset=1049364 align=4
      i32.const 0
      local.get 0
      i64.load offset=32 align=4
      i64.store offset=1049372 align=4
      i32.const 0
      local.get 0
      i64.load offset=40 align=4
      i64.store offset=1049380 align=4
      local.get 0
      i32.const 48
      i32.add
      global.set 0
      i32.const 1049340
    )
    (func (;66;) (type 10) (param i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 2
      global.set 0
      local.get 2
      local.get 1
      i32.store offset=12
      local.get 2
      local.get 0
      i32.store offset=8
      local.get 2
      i32.const 8
      i32.add
      local.get 2
      call 35
      i32.const 0
      local.get 2
      i64.load align=4
      i64.store offset=1049340 align=4
      local.get 2
      i32.const 16
      i32.add
      global.set 0
      i32.const 1049340
    )
    (func (;67;) (type 3) (param i32) (result i32)
      (local i32 i32 i64 i32 i32 i32 i64 i64 i64)
      global.get 0
      i32.const 176
      i32.sub
      local.tee 1
      global.set 0
      local.get 1
      local.get 0
      i32.load
      i32.store offset=112
      local.get 1
      local.get 0
      i64.load offset=4 align=4
      i64.store offset=116 align=4
      local.get 1
      local.get 0
      i64.load offset=12 align=4
      i64.store offset=124 align=4
      local.get 1
      local.get 0
      i64.load offset=20 align=4
      i64.store offset=132 align=4
      local.get 1
      local.get 0
      i64.load offset=28 align=4
      i64.store offset=140 align=4
      local.get 1
      local.get 0
      i64.load offset=36 align=4
      i64.store offset=148 align=4
      local.get 1
      local.get 0
      i64.load offset=44 align=4
      i64.store offset=156 align=4
      local.get 1
      local.get 0
      i64.load offset=52 align=4
      i64.store offset=164 align=4
      local.get 1
      local.get 0
      i32.load offset=60
      i32.store offset=172
      local.get 1
      local.get 0
      i64.load offset=64 align=4
      i64.store offset=104 align=4
      local.get 1
      local.get 0
      i64.load offset=72 align=4
      i64.store offset=96 align=4
      local.get 1
      local.get 0
      i64.load offset=80 align=4
      i64.store offset=88 align=4
      block ;; label = @1
        block ;; label = @2
          local.get 1
          i32.const 112
          i32.add
          local.get 1
          i32.const 104
          i32.add
          local.get 1
          i32.const 96
          i32.add
          local.get 1
          i32.const 88
          i32.add
          local.get 1
          i32.const 40
          i32.add
          local.get 1
          i32.const 8
          i32.add
          call 36
          br_if 0 (;@2;)
          local.get 1
          i32.load offset=32
          local.set 2
          local.get 1
          i64.load offset=16 align=4
          local.set 3
          local.get 1
          i32.load offset=24
          local.set 4
          local.get 1
          i32.load offset=28
          local.set 5
          local.get 1
          i32.load offset=36
          local.set 6
          local.get 1
          i64.load offset=8 align=4
          local.set 7
          local.get 0
          call 30
          i32.const 0
          i32.const 1
          i32.store8 offset=1049340
          i32.const 0
          local.get 7
          i64.store offset=1049344 align=4
          i32.const 0
          local.get 6
          i32.store offset=1049372
          i32.const 0
          local.get 5
          i32.store offset=1049364
          i32.const 0
          local.get 4
          i32.store8 offset=1049360
          i32.const 0
          local.get 3
          i64.store offset=1049352 align=4
          br 1 (;@1;)
        end
        local.get 1
        i32.load offset=64
        local.set 2
        local.get 1
        i64.load offset=80 align=4
        local.set 3
        local.get 1
        i64.load offset=68 align=4
        local.set 7
        local.get 1
        i64.load offset=52 align=4
        local.set 8
        local.get 1
        i32.load offset=76
        local.set 4
        local.get 1
        i64.load offset=44 align=4
        local.set 9
        local.get 1
        i32.load offset=60
        local.set 5
        local.get 1
        i32.load8_u offset=40
        local.set 6
        local.get 0
        call 30
        i32.const 0
        local.get 6
        i32.const 1
        i32.and
        i32.store8 offset=1049344
        i32.const 0
        local.get 5
        i32.store offset=1049364
        i32.const 0
        local.get 9
        i64.store offset=1049348 align=4
        i32.const 0
        local.get 4
        i32.store offset=1049380
        i32.const 0
        local.get 8
        i64.store offset=1049356 align=4
        i32.const 0
        local.get 7
        i64.store offset=1049372 align=4
        i32.const 0
        local.get 3
        i64.store offset=1049384 align=4
        i32.const 0
        i32.const 0
        i32.store8 offset=1049340
      end
      i32.const 0
      local.get 2
      i32.store offset=1049368
      local.get 1
      i32.const 176
      i32.add
      global.set 0
      i32.const 1049340
    )
    (func (;68;) (type 3) (param i32) (result i32)
      (local i32 i32 i32 i64 i32 i32 i64 i64)
      global.get 0
      i32.const 192
      i32.sub
      local.tee 1
      global.set 0
      local.get 1
      local.get 0
      i32.load
      i32.store offset=128
      local.get 1
      local.get 0
      i64.load offset=4 align=4
      i64.store offset=132 align=4
      local.get 1
      local.get 0
      i64.load offset=12 align=4
      i64.store offset=140 align=4
      local.get 1
      local.get 0
      i64.load offset=20 align=4
      i64.store offset=148 align=4
      local.get 1
      local.get 0
      i64.load offset=28 align=4
      i64.store offset=156 align=4
      local.get 1
      local.get 0
      i64.load offset=36 align=4
      i64.store offset=164 align=4
      local.get 1
      local.get 0
      i64.load offset=44 align=4
      i64.store offset=172 align=4
      local.get 1
      local.get 0
      i64.load offset=52 align=4
      i64.store offset=180 align=4
      local.get 1
      local.get 0
      i32.load offset=60
      i32.store offset=188
      local.get 1
      local.get 0
      i64.load offset=64 align=4
      i64.store offset=120 align=4
      local.get 1
      local.get 0
      i64.load offset=72 align=4
      i64.store offset=112 align=4
      local.get 1
      local.get 0
      i64.load offset=80 align=4
      i64.store offset=88 align=4
      local.get 1
      local.get 0
      i64.load offset=88 align=4
      i64.store offset=96 align=4
      local.get 1
      local.get 0
      i64.load offset=96 align=4
      i64.store offset=104 align=4
      local.get 1
      local.get 0
      i64.load offset=104 align=4
      i64.store offset=80 align=4
      block ;; label = @1
        block ;; label = @2
          local.get 1
          i32.const 128
          i32.add
          local.get 1
          i32.const 120
          i32.add
          local.get 1
          i32.const 112
          i32.add
          local.get 1
          i32.const 88
          i32.add
          local.get 1
          i32.const 80
          i32.add
          local.get 1
          i32.const 40
          i32.add
          local.get 1
          i32.const 8
          i32.add
          call 38
          br_if 0 (;@2;)
          local.get 1
          i32.load offset=36
          local.set 2
          local.get 1
          i32.load offset=32
          local.set 3
          local.get 1
          i64.load offset=16 align=4
          local.set 4
          local.get 1
          i32.load offset=24
          local.set 5
          local.get 1
          i32.load offset=28
          local.set 6
          local.get 1
          i64.load offset=8 align=4
          local.set 7
          local.get 0
          call 30
          i32.const 0
          i32.const 1
          i32.store8 offset=1049340
          i32.const 0
          local.get 7
          i64.store offset=1049344 align=4
          i32.const 0
          local.get 6
          i32.store offset=1049364
          i32.const 0
          local.get 5
          i32.store8 offset=1049360
          i32.const 0
          local.get 4
          i64.store offset=1049352 align=4
          br 1 (;@1;)
        end
        local.get 1
        i32.load offset=68
        local.set 2
        local.get 1
        i32.load offset=64
        local.set 3
        local.get 1
        i64.load offset=72 align=4
        local.set 4
        local.get 1
        i64.load offset=52 align=4
        local.set 7
        local.get 1
        i64.load offset=44 align=4
        local.set 8
        local.get 1
        i32.load offset=60
        local.set 5
        local.get 1
        i32.load8_u offset=40
        local.set 6
        local.get 0
        call 30
        i32.const 0
        local.get 6
        i32.const 1
        i32.and
        i32.store8 offset=1049344
        i32.const 0
        local.get 5
        i32.store offset=1049364
        i32.const 0
        local.get 8
        i64.store offset=1049348 align=4
        i32.const 0
        local.get 7
        i64.store offset=1049356 align=4
        i32.const 0
        local.get 4
        i64.store offset=1049376 align=4
        i32.const 0
        i32.const 0
        i32.store8 offset=1049340
      end
      i32.const 0
      local.get 3
      i32.store offset=1049368
      i32.const 0
      local.get 2
      i32.store offset=1049372
      local.get 1
      i32.const 192
      i32.add
      global.set 0
      i32.const 1049340
    )
    (func (;69;) (type 3) (param i32) (result i32)
      (local i32 i32 i32 i64 i32 i32 i64 i64)
      global.get 0
      i32.const 192
      i32.sub
      local.tee 1
      global.set 0
      local.get 1
      local.get 0
      i32.load
      i32.store offset=128
      local.get 1
      local.get 0
      i64.load offset=4 align=4
      i64.store offset=132 align=4
      local.get 1
      local.get 0
      i64.load offset=12 align=4
      i64.store offset=140 align=4
      local.get 1
      local.get 0
      i64.load offset=20 align=4
      i64.store offset=148 align=4
      local.get 1
      local.get 0
      i64.load offset=28 align=4
      i64.store offset=156 align=4
      local.get 1
      local.get 0
      i64.load offset=36 align=4
      i64.store offset=164 align=4
      local.get 1
      local.get 0
      i64.load offset=44 align=4
      i64.store offset=172 align=4
      local.get 1
      local.get 0
      i64.load offset=52 align=4
      i64.store offset=180 align=4
      local.get 1
      local.get 0
      i32.load offset=60
      i32.store offset=188
      local.get 1
      local.get 0
      i64.load offset=64 align=4
      i64.store offset=120 align=4
      local.get 1
      local.get 0
      i64.load offset=72 align=4
      i64.store offset=112 align=4
      local.get 1
      local.get 0
      i64.load offset=80 align=4
      i64.store offset=88 align=4
      local.get 1
      local.get 0
      i64.load offset=88 align=4
      i64.store offset=96 align=4
      local.get 1
      local.get 0
      i64.load offset=96 align=4
      i64.store offset=104 align=4
      local.get 1
      local.get 0
      i64.load offset=104 align=4
      i64.store offset=80 align=4
      block ;; label = @1
        block ;; label = @2
          local.get 1
          i32.const 128
          i32.add
          local.get 1
          i32.const 120
          i32.add
          local.get 1
          i32.const 112
          i32.add
          local.get 1
          i32.const 88
          i32.add
          local.get 1
          i32.const 80
          i32.add
          local.get 1
          i32.const 40
          i32.add
          local.get 1
          i32.const 8
          i32.add
          call 43
          br_if 0 (;@2;)
          local.get 1
          i32.load offset=36
          local.set 2
          local.get 1
          i32.load offset=32
          local.set 3
          local.get 1
          i64.load offset=16 align=4
          local.set 4
          local.get 1
          i32.load offset=24
          local.set 5
          local.get 1
          i32.load offset=28
          local.set 6
          local.get 1
          i64.load offset=8 align=4
          local.set 7
          local.get 0
          call 30
          i32.const 0
          i32.const 1
          i32.store8 offset=1049340
          i32.const 0
          local.get 7
          i64.store offset=1049344 align=4
          i32.const 0
          local.get 6
          i32.store offset=1049364
          i32.const 0
          local.get 5
          i32.store8 offset=1049360
          i32.const 0
          local.get 4
          i64.store offset=1049352 align=4
          br 1 (;@1;)
        end
        local.get 1
        i32.load offset=68
        local.set 2
        local.get 1
        i32.load offset=64
        local.set 3
        local.get 1
        i64.load offset=72 align=4
        local.set 4
        local.get 1
        i64.load offset=52 align=4
        local.set 7
        local.get 1
        i64.load offset=44 align=4
        local.set 8
        local.get 1
        i32.load offset=60
        local.set 5
        local.get 1
        i32.load8_u offset=40
        local.set 6
        local.get 0
        call 30
        i32.const 0
        local.get 6
        i32.const 1
        i32.and
        i32.store8 offset=1049344
        i32.const 0
        local.get 5
        i32.store offset=1049364
        i32.const 0
        local.get 8
        i64.store offset=1049348 align=4
        i32.const 0
        local.get 7
        i64.store offset=1049356 align=4
        i32.const 0
        local.get 4
        i64.store offset=1049376 align=4
        i32.const 0
        i32.const 0
        i32.store8 offset=1049340
      end
      i32.const 0
      local.get 3
      i32.store offset=1049368
      i32.const 0
      local.get 2
      i32.store offset=1049372
      local.get 1
      i32.const 192
      i32.add
      global.set 0
      i32.const 1049340
    )
    (func (;70;) (type 3) (param i32) (result i32)
      (local i32 i32 i32 i64 i64 i32 i32)
      global.get 0
      i32.const 128
      i32.sub
      local.tee 1
      global.set 0
      local.get 1
      local.get 0
      i32.load
      i32.store offset=64
      local.get 1
      local.get 0
      i64.load offset=4 align=4
      i64.store offset=68 align=4
      local.get 1
      local.get 0
      i64.load offset=12 align=4
      i64.store offset=76 align=4
      local.get 1
      local.get 0
      i64.load offset=20 align=4
      i64.store offset=84 align=4
      local.get 1
      local.get 0
      i64.load offset=28 align=4
      i64.store offset=92 align=4
      local.get 1
      local.get 0
      i64.load offset=36 align=4
      i64.store offset=100 align=4
      local.get 1
      local.get 0
      i64.load offset=44 align=4
      i64.store offset=108 align=4
      local.get 1
      local.get 0
      i64.load offset=52 align=4
      i64.store offset=116 align=4
      local.get 1
      local.get 0
      i32.load offset=60
      i32.store offset=124
      local.get 1
      local.get 0
      i64.load offset=64 align=4
      i64.store offset=56 align=4
      local.get 1
      local.get 0
      i64.load offset=72 align=4
      i64.store offset=48 align=4
      block ;; label = @1
        block ;; label = @2
          local.get 1
          i32.const 64
          i32.add
          local.get 1
          i32.const 56
          i32.add
          local.get 1
          i32.const 48
          i32.add
          local.get 1
          i32.const 40
          i32.add
          local.get 1
          i32.const 8
          i32.add
          call 44
          br_if 0 (;@2;)
          local.get 1
          i32.load offset=12
          local.set 2
          local.get 1
          i32.load offset=8
          local.set 3
          local.get 1
          i64.load offset=28 align=4
          local.set 4
          local.get 1
          i64.load offset=16 align=4
          local.set 5
          local.get 1
          i32.load8_u offset=24
          local.set 6
          local.get 1
          i32.load offset=36
          local.set 7
          local.get 0
          call 30
          i32.const 0
          local.get 7
          i32.store offset=1049372
          i32.const 0
          local.get 6
          i32.store8 offset=1049360
          i32.const 0
          local.get 5
          i64.store offset=1049352 align=4
          i32.const 0
          local.get 4
          i64.store offset=1049364 align=4
          i32.const 1
          local.set 0
          br 1 (;@1;)
        end
        local.get 1
        i32.load offset=44
        local.set 2
        local.get 1
        i32.load offset=40
        local.set 3
        local.get 0
        call 30
        i32.const 0
        local.set 0
      end
      i32.const 0
      local.get 2
      i32.store offset=1049348
      i32.const 0
      local.get 0
      i32.store8 offset=1049340
      i32.const 0
      local.get 3
      i32.store offset=1049344
      local.get 1
      i32.const 128
      i32.add
      global.set 0
      i32.const 1049340
    )
    (func (;71;) (type 6)
      call 13
    )
    (func (;72;) (type 3) (param i32) (result i32)
      (local i32 i32 i32)
      i32.const 0
      local.set 1
      loop ;; label = @1
        local.get 0
        local.get 1
        i32.add
        local.set 2
        local.get 1
        i32.const 1
        i32.add
        local.tee 3
        local.set 1
        local.get 2
        i32.load8_u
        br_if 0 (;@1;)
      end
      local.get 3
      i32.const -1
      i32.add
    )
    (data (;0;) (i32.const 1048576) "{}\00{\22seen\22: true}\00{\22http\22: [{\22config\22: \22/url\22}], \22secrets\22: [{\22named\22: \22golden\22}], \22state\22: true}\00{\22type\22: \22object\22, \22required\22: [\22url\22]}\00{\22token\22:\22approved\22}\00/key\00idempotency-key\00digest\00kept\00half of it\00golden-target\00fails, as it says\00is refused, as it says\00artifacts\00applies\00one changes\00plan-step\00two\00undo\00unknown\00begun\00authorization\00token\00golden\00url\00null\00the first call\00/tag\00of\00observe\00true\00value\00/refuse\00false\00undone\00file:one\00describe\00progressed\00applied\00web\00POST\00\22:\00f00\000.1.0\00Uses all that a target has.\00\22new\22\00\22fail\22\00\22refuse\22\00apply \00cut \00Bearer \00whole \00, \22time\22: \00{\22cancelled\22: \00")
    (@producers
      (processed-by "wit-component" "0.258.3")
      (processed-by "wit-bindgen-c" "0.61.1")
    )
  )
  (core module $wit-component-shim-module (;1;)
    (type (;0;) (func (param i32 i32 i32 i32 i32)))
    (type (;1;) (func (param i32 i32 i32)))
    (type (;2;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;3;) (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (table (;0;) 8 8 funcref)
    (export "0" (func 0))
    (export "1" (func 1))
    (export "2" (func 2))
    (export "3" (func 3))
    (export "4" (func 4))
    (export "5" (func 5))
    (export "6" (func 6))
    (export "7" (func 7))
    (export "$imports" (table 0))
    (func (;0;) (type 0) (param i32 i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      local.get 4
      i32.const 0
      call_indirect (type 0)
    )
    (func (;1;) (type 1) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 1
      call_indirect (type 1)
    )
    (func (;2;) (type 1) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 2
      call_indirect (type 1)
    )
    (func (;3;) (type 1) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 3
      call_indirect (type 1)
    )
    (func (;4;) (type 2) (param i32 i32 i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      local.get 4
      local.get 5
      i32.const 4
      call_indirect (type 2)
    )
    (func (;5;) (type 1) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 5
      call_indirect (type 1)
    )
    (func (;6;) (type 1) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 6
      call_indirect (type 1)
    )
    (func (;7;) (type 3) (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      local.get 4
      local.get 5
      local.get 6
      local.get 7
      local.get 8
      local.get 9
      i32.const 7
      call_indirect (type 3)
    )
    (@producers
      (processed-by "wit-component" "0.258.3")
    )
  )
  (core instance $wit-component-shim-instance (;0;) (instantiate $wit-component-shim-module))
  (alias export $lockgate:plugin/types@0.1.0 "call" (type $call (;15;)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type16 failure" (@name "failure") (;16;)))
  (alias export $lockgate:plugin/types@0.1.0 "field" (type $"#type17 field" (@name "field") (;17;)))
  (alias export $lockgate:plugin/types@0.1.0 "json" (type $json (;18;)))
  (alias export $lockgate:plugin/types@0.1.0 "description" (type $description (;19;)))
  (alias export $lockgate:plugin/types@0.1.0 "issue" (type $issue (;20;)))
  (type (;21;) (enum "create" "update" "delete" "replace" "no-op"))
  (type (;22;) (record (field "path" string) (field "before" $json) (field "after" $json) (field "sensitive" bool) (field "fingerprint" string)))
  (type (;23;) (list 22))
  (type (;24;) (record (field "application" string) (field "kind" string) (field "name" string) (field "action" 21) (field "destructive" bool) (field "fields" 23)))
  (type (;25;) (list 24))
  (type (;26;) (record (field "summary" string) (field "changes" 25) (field "token" $json)))
  (type (;27;) (list u8))
  (type (;28;) (list $"#type17 field"))
  (type (;29;) (record (field "done" bool) (field "cursor" 27) (field "poll-after-ms" u32) (field "planned" 26) (field "extra" 28)))
  (type (;30;) (record (field "done" bool) (field "cursor" 27) (field "poll-after-ms" u32) (field "summary" string) (field "outputs" $json) (field "extra" 28)))
  (type (;31;) (enum "healthy" "progressing" "degraded" "missing" "unknown"))
  (type (;32;) (record (field "application" string) (field "kind" string) (field "name" string) (field "version" string) (field "artifact-uri" string) (field "weight-percent" u32) (field "health" 31) (field "details" $json)))
  (alias core export $wit-component-shim-instance "0" (core func $indirect-lockgate:plugin/log@0.1.0-emit (;0;)))
  (core instance $lockgate:plugin/log@0.1.0 (;1;)
    (export "emit" (func $indirect-lockgate:plugin/log@0.1.0-emit))
  )
  (alias core export $wit-component-shim-instance "1" (core func $indirect-lockgate:plugin/progress@0.1.0-report (;1;)))
  (core instance $lockgate:plugin/progress@0.1.0 (;2;)
    (export "report" (func $indirect-lockgate:plugin/progress@0.1.0-report))
  )
  (alias export $lockgate:plugin/control@0.1.0 "is-cancelled" (func $is-cancelled (;0;)))
  (core func $is-cancelled (;2;) (canon lower (func $is-cancelled)))
  (alias export $lockgate:plugin/control@0.1.0 "remaining-ms" (func $remaining-ms (;1;)))
  (core func $remaining-ms (;3;) (canon lower (func $remaining-ms)))
  (alias export $lockgate:plugin/control@0.1.0 "wait" (func $wait (;2;)))
  (core func $wait (;4;) (canon lower (func $wait)))
  (core instance $lockgate:plugin/control@0.1.0 (;3;)
    (export "is-cancelled" (func $is-cancelled))
    (export "remaining-ms" (func $remaining-ms))
    (export "wait" (func $wait))
  )
  (alias core export $wit-component-shim-instance "2" (core func $indirect-lockgate:plugin/secrets@0.1.0-token (;5;)))
  (core instance $lockgate:plugin/secrets@0.1.0 (;4;)
    (export "token" (func $indirect-lockgate:plugin/secrets@0.1.0-token))
  )
  (alias core export $wit-component-shim-instance "3" (core func $indirect-lockgate:plugin/state@0.1.0-get (;6;)))
  (alias core export $wit-component-shim-instance "4" (core func $indirect-lockgate:plugin/state@0.1.0-put (;7;)))
  (core instance $lockgate:plugin/state@0.1.0 (;5;)
    (export "get" (func $indirect-lockgate:plugin/state@0.1.0-get))
    (export "put" (func $indirect-lockgate:plugin/state@0.1.0-put))
  )
  (alias core export $wit-component-shim-instance "5" (core func $"indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read" (;8;)))
  (alias core export $wit-component-shim-instance "6" (core func $indirect-lockgate:plugin/artifacts@0.1.0-open (;9;)))
  (core instance $lockgate:plugin/artifacts@0.1.0 (;6;)
    (export "[method]reader.read" (func $"indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read"))
    (export "open" (func $indirect-lockgate:plugin/artifacts@0.1.0-open))
  )
  (alias core export $wit-component-shim-instance "7" (core func $indirect-lockgate:plugin/http@0.1.0-send (;10;)))
  (core instance $lockgate:plugin/http@0.1.0 (;7;)
    (export "send" (func $indirect-lockgate:plugin/http@0.1.0-send))
  )
  (core instance $main (;8;) (instantiate $main
      (with "lockgate:plugin/log@0.1.0" (instance $lockgate:plugin/log@0.1.0))
      (with "lockgate:plugin/progress@0.1.0" (instance $lockgate:plugin/progress@0.1.0))
      (with "lockgate:plugin/control@0.1.0" (instance $lockgate:plugin/control@0.1.0))
      (with "lockgate:plugin/secrets@0.1.0" (instance $lockgate:plugin/secrets@0.1.0))
      (with "lockgate:plugin/state@0.1.0" (instance $lockgate:plugin/state@0.1.0))
      (with "lockgate:plugin/artifacts@0.1.0" (instance $lockgate:plugin/artifacts@0.1.0))
      (with "lockgate:plugin/http@0.1.0" (instance $lockgate:plugin/http@0.1.0))
    )
  )
  (alias core export $main "memory" (core memory $memory (;0;)))
  (core module $wit-component-fixup (;2;)
    (type (;0;) (func (param i32 i32 i32 i32 i32)))
    (type (;1;) (func (param i32 i32 i32)))
    (type (;2;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;3;) (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (type (;4;) (func))
    (import "actual" "0" (func (;0;) (type 0)))
    (import "actual" "1" (func (;1;) (type 1)))
    (import "actual" "2" (func (;2;) (type 1)))
    (import "actual" "3" (func (;3;) (type 1)))
    (import "actual" "4" (func (;4;) (type 2)))
    (import "actual" "5" (func (;5;) (type 1)))
    (import "actual" "6" (func (;6;) (type 1)))
    (import "actual" "7" (func (;7;) (type 3)))
    (import "main" "_initialize" (func (;8;) (type 4)))
    (import "shim" "$imports" (table (;0;) 8 8 funcref))
    (start 8)
    (elem (;0;) (i32.const 0) func 0 1 2 3 4 5 6 7)
    (@producers
      (processed-by "wit-component" "0.258.3")
    )
  )
  (alias export $lockgate:plugin/log@0.1.0 "emit" (func $emit (;3;)))
  (core func $"#core-func11 indirect-lockgate:plugin/log@0.1.0-emit" (@name "indirect-lockgate:plugin/log@0.1.0-emit") (;11;) (canon lower (func $emit) (memory $memory) string-encoding=utf8))
  (alias export $lockgate:plugin/progress@0.1.0 "report" (func $report (;4;)))
  (core func $"#core-func12 indirect-lockgate:plugin/progress@0.1.0-report" (@name "indirect-lockgate:plugin/progress@0.1.0-report") (;12;) (canon lower (func $report) (memory $memory) string-encoding=utf8))
  (alias export $lockgate:plugin/secrets@0.1.0 "token" (func $token (;5;)))
  (alias core export $main "cabi_realloc" (core func $cabi_realloc (;13;)))
  (core func $"#core-func14 indirect-lockgate:plugin/secrets@0.1.0-token" (@name "indirect-lockgate:plugin/secrets@0.1.0-token") (;14;) (canon lower (func $token) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/state@0.1.0 "get" (func $get (;6;)))
  (core func $"#core-func15 indirect-lockgate:plugin/state@0.1.0-get" (@name "indirect-lockgate:plugin/state@0.1.0-get") (;15;) (canon lower (func $get) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/state@0.1.0 "put" (func $put (;7;)))
  (core func $"#core-func16 indirect-lockgate:plugin/state@0.1.0-put" (@name "indirect-lockgate:plugin/state@0.1.0-put") (;16;) (canon lower (func $put) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/artifacts@0.1.0 "[method]reader.read" (func $"[method]reader.read" (;8;)))
  (core func $"#core-func17 indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read" (@name "indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read") (;17;) (canon lower (func $"[method]reader.read") (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/artifacts@0.1.0 "open" (func $open (;9;)))
  (core func $"#core-func18 indirect-lockgate:plugin/artifacts@0.1.0-open" (@name "indirect-lockgate:plugin/artifacts@0.1.0-open") (;18;) (canon lower (func $open) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/http@0.1.0 "send" (func $send (;10;)))
  (core func $"#core-func19 indirect-lockgate:plugin/http@0.1.0-send" (@name "indirect-lockgate:plugin/http@0.1.0-send") (;19;) (canon lower (func $send) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (core instance $actual (;9;)
    (export "0" (func $"#core-func11 indirect-lockgate:plugin/log@0.1.0-emit"))
    (export "1" (func $"#core-func12 indirect-lockgate:plugin/progress@0.1.0-report"))
    (export "2" (func $"#core-func14 indirect-lockgate:plugin/secrets@0.1.0-token"))
    (export "3" (func $"#core-func15 indirect-lockgate:plugin/state@0.1.0-get"))
    (export "4" (func $"#core-func16 indirect-lockgate:plugin/state@0.1.0-put"))
    (export "5" (func $"#core-func17 indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read"))
    (export "6" (func $"#core-func18 indirect-lockgate:plugin/artifacts@0.1.0-open"))
    (export "7" (func $"#core-func19 indirect-lockgate:plugin/http@0.1.0-send"))
  )
  (core instance $fixup (;10;) (instantiate $wit-component-fixup
      (with "actual" (instance $actual))
      (with "main" (instance $main))
      (with "shim" (instance $wit-component-shim-instance))
    )
  )
  (type (;33;) (func (result $description)))
  (alias core export $main "lockgate:target/target@0.1.0#describe" (core func $lockgate:target/target@0.1.0#describe (;20;)))
  (alias core export $main "cabi_post_lockgate:target/target@0.1.0#describe" (core func $cabi_post_lockgate:target/target@0.1.0#describe (;21;)))
  (func $describe (;11;) (type 33) (canon lift (core func $lockgate:target/target@0.1.0#describe) (memory $memory) string-encoding=utf8 (post-return $cabi_post_lockgate:target/target@0.1.0#describe)))
  (type (;34;) (list $issue))
  (type (;35;) (func (param "config" $json) (result 34)))
  (alias core export $main "lockgate:target/target@0.1.0#validate" (core func $lockgate:target/target@0.1.0#validate (;22;)))
  (alias core export $main "cabi_post_lockgate:target/target@0.1.0#validate" (core func $cabi_post_lockgate:target/target@0.1.0#validate (;23;)))
  (func $validate (;12;) (type 35) (canon lift (core func $lockgate:target/target@0.1.0#validate) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8 (post-return $cabi_post_lockgate:target/target@0.1.0#validate)))
  (type (;36;) (result 29 (error $"#type16 failure")))
  (type (;37;) (func (param "c" $call) (param "config" $json) (param "subject" $json) (param "cursor" 27) (result 36)))
  (alias core export $main "lockgate:target/target@0.1.0#plan" (core func $lockgate:target/target@0.1.0#plan (;24;)))
  (alias core export $main "cabi_post_lockgate:target/target@0.1.0#plan" (core func $cabi_post_lockgate:target/target@0.1.0#plan (;25;)))
  (func $plan (;13;) (type 37) (canon lift (core func $lockgate:target/target@0.1.0#plan) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8 (post-return $cabi_post_lockgate:target/target@0.1.0#plan)))
  (type (;38;) (result 30 (error $"#type16 failure")))
  (type (;39;) (func (param "c" $call) (param "config" $json) (param "subject" $json) (param "approved" 26) (param "cursor" 27) (result 38)))
  (alias core export $main "lockgate:target/target@0.1.0#apply" (core func $lockgate:target/target@0.1.0#apply (;26;)))
  (alias core export $main "cabi_post_lockgate:target/target@0.1.0#apply" (core func $cabi_post_lockgate:target/target@0.1.0#apply (;27;)))
  (func $apply (;14;) (type 39) (canon lift (core func $lockgate:target/target@0.1.0#apply) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8 (post-return $cabi_post_lockgate:target/target@0.1.0#apply)))
  (alias core export $main "lockgate:target/target@0.1.0#undo" (core func $lockgate:target/target@0.1.0#undo (;28;)))
  (alias core export $main "cabi_post_lockgate:target/target@0.1.0#undo" (core func $cabi_post_lockgate:target/target@0.1.0#undo (;29;)))
  (func $undo (;15;) (type 39) (canon lift (core func $lockgate:target/target@0.1.0#undo) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8 (post-return $cabi_post_lockgate:target/target@0.1.0#undo)))
  (type (;40;) (list 32))
  (type (;41;) (result 40 (error $"#type16 failure")))
  (type (;42;) (func (param "c" $call) (param "config" $json) (param "subject" $json) (result 41)))
  (alias core export $main "lockgate:target/target@0.1.0#observe" (core func $lockgate:target/target@0.1.0#observe (;30;)))
  (alias core export $main "cabi_post_lockgate:target/target@0.1.0#observe" (core func $cabi_post_lockgate:target/target@0.1.0#observe (;31;)))
  (func $observe (;16;) (type 42) (canon lift (core func $lockgate:target/target@0.1.0#observe) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8 (post-return $cabi_post_lockgate:target/target@0.1.0#observe)))
  (alias export $lockgate:plugin/types@0.1.0 "retry" (type $retry (;43;)))
  (component $lockgate:target/target@0.1.0-shim-component (;0;)
    (type (;0;) (record (field "key" string) (field "value" string)))
    (import "import-type-field" (type (;1;) (eq 0)))
    (type (;2;) (list 1))
    (type (;3;) (record (field "project" string) (field "environment" string) (field "deployment" string) (field "attempt" u32) (field "name" string) (field "sequence" u32) (field "idempotency-key" string) (field "trace-parent" string) (field "extra" 2)))
    (import "import-type-call" (type (;4;) (eq 3)))
    (type (;5;) (enum "never" "same-key"))
    (import "import-type-retry" (type (;6;) (eq 5)))
    (type (;7;) string)
    (import "import-type-json" (type (;8;) (eq 7)))
    (type (;9;) (record (field "code" string) (field "message" string) (field "retry" 6) (field "retry-after-ms" u32) (field "details" 8)))
    (import "import-type-failure" (type (;10;) (eq 9)))
    (type (;11;) (record (field "name" string) (field "version" string) (field "summary" string) (field "config-schema" 8) (field "requests" 8) (field "extra" 2)))
    (import "import-type-description" (type (;12;) (eq 11)))
    (type (;13;) (record (field "path" string) (field "message" string)))
    (import "import-type-issue" (type (;14;) (eq 13)))
    (import "import-type-description0" (type (;15;) (eq 12)))
    (type (;16;) (func (result 15)))
    (import "import-func-describe" (func (;0;) (type 16)))
    (import "import-type-json0" (type (;17;) (eq 8)))
    (import "import-type-issue0" (type (;18;) (eq 14)))
    (type (;19;) (list 18))
    (type (;20;) (func (param "config" 17) (result 19)))
    (import "import-func-validate" (func (;1;) (type 20)))
    (import "import-type-call0" (type (;21;) (eq 4)))
    (type (;22;) (list u8))
    (type (;23;) (enum "create" "update" "delete" "replace" "no-op"))
    (import "import-type-action" (type (;24;) (eq 23)))
    (type (;25;) (record (field "path" string) (field "before" 17) (field "after" 17) (field "sensitive" bool) (field "fingerprint" string)))
    (import "import-type-field-change" (type (;26;) (eq 25)))
    (type (;27;) (list 26))
    (type (;28;) (record (field "application" string) (field "kind" string) (field "name" string) (field "action" 24) (field "destructive" bool) (field "fields" 27)))
    (import "import-type-resource-change" (type (;29;) (eq 28)))
    (type (;30;) (list 29))
    (type (;31;) (record (field "summary" string) (field "changes" 30) (field "token" 17)))
    (import "import-type-planned" (type (;32;) (eq 31)))
    (import "import-type-field0" (type (;33;) (eq 1)))
    (type (;34;) (list 33))
    (type (;35;) (record (field "done" bool) (field "cursor" 22) (field "poll-after-ms" u32) (field "planned" 32) (field "extra" 34)))
    (import "import-type-plan-step" (type (;36;) (eq 35)))
    (import "import-type-failure0" (type (;37;) (eq 10)))
    (type (;38;) (result 36 (error 37)))
    (type (;39;) (func (param "c" 21) (param "config" 17) (param "subject" 17) (param "cursor" 22) (result 38)))
    (import "import-func-plan" (func (;2;) (type 39)))
    (type (;40;) (record (field "done" bool) (field "cursor" 22) (field "poll-after-ms" u32) (field "summary" string) (field "outputs" 17) (field "extra" 34)))
    (import "import-type-progressed" (type (;41;) (eq 40)))
    (type (;42;) (result 41 (error 37)))
    (type (;43;) (func (param "c" 21) (param "config" 17) (param "subject" 17) (param "approved" 32) (param "cursor" 22) (result 42)))
    (import "import-func-apply" (func (;3;) (type 43)))
    (import "import-func-undo" (func (;4;) (type 43)))
    (type (;44;) (enum "healthy" "progressing" "degraded" "missing" "unknown"))
    (import "import-type-health" (type (;45;) (eq 44)))
    (type (;46;) (record (field "application" string) (field "kind" string) (field "name" string) (field "version" string) (field "artifact-uri" string) (field "weight-percent" u32) (field "health" 45) (field "details" 17)))
    (import "import-type-resource-state" (type (;47;) (eq 46)))
    (type (;48;) (list 47))
    (type (;49;) (result 48 (error 37)))
    (type (;50;) (func (param "c" 21) (param "config" 17) (param "subject" 17) (result 49)))
    (import "import-func-observe" (func (;5;) (type 50)))
    (export (;51;) "call" (type 4))
    (export (;52;) "failure" (type 10))
    (export (;53;) "field" (type 1))
    (export (;54;) "json" (type 8))
    (export (;55;) "description" (type 12))
    (export (;56;) "issue" (type 14))
    (type (;57;) (enum "create" "update" "delete" "replace" "no-op"))
    (export (;58;) "action" (type 57))
    (type (;59;) (record (field "path" string) (field "before" 54) (field "after" 54) (field "sensitive" bool) (field "fingerprint" string)))
    (export (;60;) "field-change" (type 59))
    (type (;61;) (list 60))
    (type (;62;) (record (field "application" string) (field "kind" string) (field "name" string) (field "action" 58) (field "destructive" bool) (field "fields" 61)))
    (export (;63;) "resource-change" (type 62))
    (type (;64;) (list 63))
    (type (;65;) (record (field "summary" string) (field "changes" 64) (field "token" 54)))
    (export (;66;) "planned" (type 65))
    (type (;67;) (list u8))
    (type (;68;) (list 53))
    (type (;69;) (record (field "done" bool) (field "cursor" 67) (field "poll-after-ms" u32) (field "planned" 66) (field "extra" 68)))
    (export (;70;) "plan-step" (type 69))
    (type (;71;) (record (field "done" bool) (field "cursor" 67) (field "poll-after-ms" u32) (field "summary" string) (field "outputs" 54) (field "extra" 68)))
    (export (;72;) "progressed" (type 71))
    (type (;73;) (enum "healthy" "progressing" "degraded" "missing" "unknown"))
    (export (;74;) "health" (type 73))
    (type (;75;) (record (field "application" string) (field "kind" string) (field "name" string) (field "version" string) (field "artifact-uri" string) (field "weight-percent" u32) (field "health" 74) (field "details" 54)))
    (export (;76;) "resource-state" (type 75))
    (type (;77;) (func (result 55)))
    (export (;6;) "describe" (func 0) (func (type 77)))
    (type (;78;) (list 56))
    (type (;79;) (func (param "config" 54) (result 78)))
    (export (;7;) "validate" (func 1) (func (type 79)))
    (type (;80;) (result 70 (error 52)))
    (type (;81;) (func (param "c" 51) (param "config" 54) (param "subject" 54) (param "cursor" 67) (result 80)))
    (export (;8;) "plan" (func 2) (func (type 81)))
    (type (;82;) (result 72 (error 52)))
    (type (;83;) (func (param "c" 51) (param "config" 54) (param "subject" 54) (param "approved" 66) (param "cursor" 67) (result 82)))
    (export (;9;) "apply" (func 3) (func (type 83)))
    (export (;10;) "undo" (func 4) (func (type 83)))
    (type (;84;) (list 76))
    (type (;85;) (result 84 (error 52)))
    (type (;86;) (func (param "c" 51) (param "config" 54) (param "subject" 54) (result 85)))
    (export (;11;) "observe" (func 5) (func (type 86)))
  )
  (instance $lockgate:target/target@0.1.0-shim-instance (;8;) (instantiate $lockgate:target/target@0.1.0-shim-component
      (with "import-func-describe" (func $describe))
      (with "import-func-validate" (func $validate))
      (with "import-func-plan" (func $plan))
      (with "import-func-apply" (func $apply))
      (with "import-func-undo" (func $undo))
      (with "import-func-observe" (func $observe))
      (with "import-type-field" (type $"#type17 field"))
      (with "import-type-call" (type $call))
      (with "import-type-retry" (type $retry))
      (with "import-type-json" (type $json))
      (with "import-type-failure" (type $"#type16 failure"))
      (with "import-type-description" (type $description))
      (with "import-type-issue" (type $issue))
      (with "import-type-description0" (type $description))
      (with "import-type-json0" (type $json))
      (with "import-type-issue0" (type $issue))
      (with "import-type-call0" (type $call))
      (with "import-type-action" (type 21))
      (with "import-type-field-change" (type 22))
      (with "import-type-resource-change" (type 24))
      (with "import-type-planned" (type 26))
      (with "import-type-field0" (type $"#type17 field"))
      (with "import-type-plan-step" (type 29))
      (with "import-type-failure0" (type $"#type16 failure"))
      (with "import-type-progressed" (type 30))
      (with "import-type-health" (type 31))
      (with "import-type-resource-state" (type 32))
    )
  )
  (export $lockgate:target/target@0.1.0 (;9;) "lockgate:target/target@0.1.0" (instance $lockgate:target/target@0.1.0-shim-instance))
  (@producers
    (processed-by "wit-component" "0.258.3")
  )
)

