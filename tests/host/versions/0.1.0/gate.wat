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
  (type $ty-lockgate:plugin/control@0.1.0 (;4;)
    (instance
      (type (;0;) (func (result bool)))
      (export (;0;) "is-cancelled" (func (type 0)))
      (type (;1;) (func (result u32)))
      (export (;1;) "remaining-ms" (func (type 1)))
      (type (;2;) (func (param "ms" u32) (result bool)))
      (export (;2;) "wait" (func (type 2)))
    )
  )
  (import "lockgate:plugin/control@0.1.0" (instance $lockgate:plugin/control@0.1.0 (;2;) (type $ty-lockgate:plugin/control@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $failure (;5;)))
  (type $ty-lockgate:plugin/secrets@0.1.0 (;6;)
    (instance
      (alias outer 1 $failure (type (;0;)))
      (export (;1;) "failure" (type (eq 0)))
      (type (;2;) (result string (error 1)))
      (type (;3;) (func (param "name" string) (result 2)))
      (export (;0;) "token" (func (type 3)))
    )
  )
  (import "lockgate:plugin/secrets@0.1.0" (instance $lockgate:plugin/secrets@0.1.0 (;3;) (type $ty-lockgate:plugin/secrets@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type7 failure" (@name "failure") (;7;)))
  (type $ty-lockgate:plugin/artifacts@0.1.0 (;8;)
    (instance
      (export (;0;) "reader" (type (sub resource)))
      (alias outer 1 $"#type7 failure" (type (;1;)))
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
  (import "lockgate:plugin/artifacts@0.1.0" (instance $lockgate:plugin/artifacts@0.1.0 (;4;) (type $ty-lockgate:plugin/artifacts@0.1.0)))
  (alias export $lockgate:plugin/types@0.1.0 "field" (type $"#type9 field" (@name "field") (;9;)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type10 failure" (@name "failure") (;10;)))
  (type $ty-lockgate:plugin/http@0.1.0 (;11;)
    (instance
      (alias outer 1 $"#type9 field" (type (;0;)))
      (export (;1;) "field" (type (eq 0)))
      (type (;2;) (list 1))
      (type (;3;) (list u8))
      (type (;4;) (record (field "method" string) (field "url" string) (field "headers" 2) (field "body" 3) (field "timeout-ms" u32)))
      (export (;5;) "request" (type (eq 4)))
      (type (;6;) (record (field "status" u32) (field "headers" 2) (field "body" 3) (field "truncated" bool)))
      (export (;7;) "response" (type (eq 6)))
      (alias outer 1 $"#type10 failure" (type (;8;)))
      (export (;9;) "failure" (type (eq 8)))
      (type (;10;) (result 7 (error 9)))
      (type (;11;) (func (param "r" 5) (result 10)))
      (export (;0;) "send" (func (type 11)))
    )
  )
  (import "lockgate:plugin/http@0.1.0" (instance $lockgate:plugin/http@0.1.0 (;5;) (type $ty-lockgate:plugin/http@0.1.0)))
  (core module $main (;0;)
    (type (;0;) (func (param i32 i32 i32 i32 i32)))
    (type (;1;) (func (result i32)))
    (type (;2;) (func (param i32) (result i32)))
    (type (;3;) (func (param i32 i32 i32)))
    (type (;4;) (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (type (;5;) (func))
    (type (;6;) (func (param i32 i32 i32 i32) (result i32)))
    (type (;7;) (func (param i32 i32)))
    (type (;8;) (func (param i32 i32 i32 i32)))
    (type (;9;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;10;) (func (param i32 i32) (result i32)))
    (type (;11;) (func (param i32)))
    (type (;12;) (func (param i32 i32 i32 i32 i32 i32) (result i32)))
    (type (;13;) (func (param i32 i32 i32) (result i32)))
    (type (;14;) (func (param i32 i32 i32 i32 i32) (result i32)))
    (import "lockgate:plugin/log@0.1.0" "emit" (func (;0;) (type 0)))
    (import "lockgate:plugin/control@0.1.0" "is-cancelled" (func (;1;) (type 1)))
    (import "lockgate:plugin/control@0.1.0" "remaining-ms" (func (;2;) (type 1)))
    (import "lockgate:plugin/control@0.1.0" "wait" (func (;3;) (type 2)))
    (import "lockgate:plugin/secrets@0.1.0" "token" (func (;4;) (type 3)))
    (import "lockgate:plugin/artifacts@0.1.0" "[method]reader.read" (func (;5;) (type 3)))
    (import "lockgate:plugin/artifacts@0.1.0" "open" (func (;6;) (type 3)))
    (import "lockgate:plugin/http@0.1.0" "send" (func (;7;) (type 4)))
    (table (;0;) 1 1 funcref)
    (memory (;0;) 17)
    (global (;0;) (mut i32) i32.const 1048576)
    (export "memory" (memory 0))
    (export "_initialize" (func 9))
    (export "cabi_post_lockgate:gate/gate@0.1.0#describe" (func 38))
    (export "cabi_post_lockgate:gate/gate@0.1.0#validate" (func 39))
    (export "cabi_post_lockgate:gate/gate@0.1.0#sample" (func 40))
    (export "cabi_post_lockgate:gate/gate@0.1.0#judge" (func 41))
    (export "cabi_realloc" (func 42))
    (export "lockgate:gate/gate@0.1.0#describe" (func 52))
    (export "lockgate:gate/gate@0.1.0#validate" (func 53))
    (export "lockgate:gate/gate@0.1.0#sample" (func 54))
    (export "lockgate:gate/gate@0.1.0#judge" (func 55))
    (func (;8;) (type 5))
    (func (;9;) (type 5)
      block ;; label = @1
        i32.const 0
        i32.load offset=1048932
        i32.eqz
        br_if 0 (;@1;)
        unreachable
      end
      i32.const 0
      i32.const 1
      i32.store offset=1048932
      call 8
    )
    (func (;10;) (type 5))
    (func (;11;) (type 6) (param i32 i32 i32 i32) (result i32)
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
    (func (;12;) (type 3) (param i32 i32 i32)
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
    (func (;13;) (type 7) (param i32 i32)
      local.get 0
      local.get 1
      call 16
      i32.store offset=4
      local.get 0
      local.get 1
      i32.store
    )
    (func (;14;) (type 8) (param i32 i32 i32 i32)
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
      call 15
      local.get 0
      local.get 4
      i64.load offset=8
      i64.store align=4
      local.get 4
      i32.const 16
      i32.add
      global.set 0
    )
    (func (;15;) (type 8) (param i32 i32 i32 i32)
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
    (func (;16;) (type 2) (param i32) (result i32)
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
    (func (;17;) (type 0) (param i32 i32 i32 i32 i32)
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
      call 18
      local.get 0
      local.get 5
      i64.load offset=8
      i64.store align=4
      local.get 5
      i32.const 16
      i32.add
      global.set 0
    )
    (func (;18;) (type 9) (param i32 i32 i32 i32 i32 i32)
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
    (func (;19;) (type 0) (param i32 i32 i32 i32 i32)
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
                  call 11
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
              call 12
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
                call 11
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
            call 15
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
    (func (;20;) (type 10) (param i32 i32) (result i32)
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
      call 13
      local.get 2
      i32.const 8
      i32.add
      local.get 1
      call 13
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
      call 19
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
    (func (;21;) (type 10) (param i32 i32) (result i32)
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
      call 13
      local.get 2
      i32.const 8
      i32.add
      local.get 1
      call 13
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
      call 17
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
    (func (;22;) (type 10) (param i32 i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 2
      global.set 0
      local.get 0
      call 16
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
        call 14
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
    (func (;23;) (type 2) (param i32) (result i32)
      (local i32)
      block ;; label = @1
        local.get 0
        i32.const 16
        i32.add
        i32.const 4
        call 24
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
      i32.store offset=1048936
      i32.const 0
    )
    (func (;24;) (type 10) (param i32 i32) (result i32)
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
            i32.load offset=1048992
            local.tee 1
            i32.eqz
            br_if 1 (;@2;)
            local.get 0
            i32.const 1048992
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
          call 26
          local.set 2
          br 1 (;@1;)
        end
        local.get 0
        i32.const 1048940
        i32.add
        local.set 1
        block ;; label = @2
          local.get 0
          i32.load offset=1048940
          local.tee 0
          i32.const 65535
          i32.and
          br_if 0 (;@2;)
          i32.const 1
          call 26
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
    (func (;25;) (type 3) (param i32 i32 i32)
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
        i32.load offset=1048992
        i32.store
        local.get 2
        local.get 0
        i32.store offset=1048992
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
      i32.load offset=1049044
      i32.store
      local.get 2
      local.get 0
      i32.store offset=1049044
    )
    (func (;26;) (type 2) (param i32) (result i32)
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
        i32.load offset=1049044
        local.tee 0
        i32.eqz
        br_if 0 (;@1;)
        local.get 2
        i32.const 1049044
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
    (func (;27;) (type 11) (param i32)
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
        call 25
      end
    )
    (func (;28;) (type 10) (param i32 i32) (result i32)
      (local i64 i32 i32 i32 i32 i32 i32 i32 i32)
      block ;; label = @1
        local.get 1
        br_if 0 (;@1;)
        local.get 0
        call 27
        i32.const 0
        return
      end
      block ;; label = @1
        local.get 0
        br_if 0 (;@1;)
        local.get 1
        call 23
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
            call 24
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
            call 25
            br 2 (;@1;)
          end
          i32.const 0
          i32.const 48
          i32.store offset=1048936
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
    (func (;29;) (type 11) (param i32)
      (local i32 i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 1
      global.set 0
      local.get 1
      i32.const 1048771
      call 30
      local.get 1
      i32.const 8
      i32.add
      i32.const 1048830
      call 30
      local.get 1
      i32.const 16
      i32.add
      i32.const 1048836
      call 30
      local.get 1
      i32.const 24
      i32.add
      i32.const 1048644
      call 30
      local.get 1
      i32.const 32
      i32.add
      i32.const 1048579
      call 30
      i32.const 1048797
      call 31
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
    (func (;30;) (type 7) (param i32 i32)
      (local i32 i32)
      local.get 1
      call 57
      local.tee 2
      i32.const 1
      i32.add
      call 23
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
    (func (;31;) (type 2) (param i32) (result i32)
      (local i32 i32)
      global.get 0
      i32.const 16
      i32.sub
      local.tee 1
      global.set 0
      i32.const 16
      call 23
      local.set 2
      local.get 1
      i32.const 1048763
      call 30
      local.get 1
      i32.const 8
      i32.add
      local.get 0
      call 30
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
    (func (;32;) (type 7) (param i32 i32)
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
      call 23
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
        i32.const 1048862
        call 20
        i32.eqz
        br_if 0 (;@1;)
        i32.const 16
        call 23
        local.set 0
        local.get 1
        i32.const 1
        i32.store offset=4
        local.get 1
        local.get 0
        i32.store
        local.get 2
        i32.const 1048783
        call 30
        local.get 2
        i32.const 8
        i32.add
        i32.const 1048699
        call 30
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
    (func (;33;) (type 12) (param i32 i32 i32 i32 i32 i32) (result i32)
      (local i32 i32 i32 i32 i32)
      global.get 0
      i32.const 256
      i32.sub
      local.tee 6
      global.set 0
      block ;; label = @1
        block ;; label = @2
          local.get 3
          i32.load offset=4
          br_if 0 (;@2;)
          i32.const 1
          local.set 7
          local.get 0
          i32.load offset=8
          local.set 1
          local.get 0
          i32.load offset=12
          local.tee 2
          i32.const 1
          i32.add
          call 23
          local.set 5
          block ;; label = @3
            local.get 2
            i32.eqz
            br_if 0 (;@3;)
            local.get 2
            i32.eqz
            br_if 0 (;@3;)
            local.get 5
            local.get 1
            local.get 2
            memory.copy
          end
          local.get 5
          local.get 2
          i32.add
          i32.const 0
          i32.store8
          local.get 6
          i32.const 0
          i32.store offset=4
          local.get 6
          local.get 5
          i32.store
          local.get 6
          i32.const 124
          i32.add
          i32.const 1048879
          local.get 6
          call 34
          call 30
          local.get 6
          i64.const 0
          i64.store offset=96
          i32.const 1
          local.get 6
          i32.const 124
          i32.add
          local.get 6
          i32.const 96
          i32.add
          call 44
          local.get 6
          i32.const 0
          i32.store offset=224
          local.get 6
          i32.const 228
          i32.add
          i32.const 1048576
          call 30
          i32.const 6
          call 23
          local.tee 2
          i32.const 0
          i32.store8 offset=5
          local.get 4
          i64.const 4294967301
          i64.store offset=16 align=4
          local.get 4
          i64.const 0
          i64.store offset=24 align=4
          local.get 2
          i32.const 0
          i32.load8_u offset=1048736
          i32.store8 offset=4
          local.get 2
          i32.const 0
          i32.load offset=1048732 align=1
          i32.store align=1
          local.get 4
          local.get 6
          i64.load offset=224 align=4
          i64.store align=4
          local.get 6
          local.get 2
          i32.store offset=236
          local.get 4
          local.get 6
          i64.load offset=232 align=4
          i64.store offset=8 align=4
          local.get 6
          i64.const 4294967301
          i64.store offset=240 align=4
          local.get 6
          i64.const 0
          i64.store offset=248 align=4
          br 1 (;@1;)
        end
        local.get 2
        i32.load
        local.set 7
        local.get 2
        i32.load offset=4
        local.tee 2
        i32.const 1
        i32.add
        call 23
        local.set 0
        block ;; label = @2
          local.get 2
          i32.eqz
          br_if 0 (;@2;)
          local.get 2
          i32.eqz
          br_if 0 (;@2;)
          local.get 0
          local.get 7
          local.get 2
          memory.copy
        end
        i32.const 0
        local.set 7
        local.get 0
        local.get 2
        i32.add
        i32.const 0
        i32.store8
        local.get 6
        i32.const 216
        i32.add
        local.get 0
        i32.const 1048722
        i32.const 1048684
        call 35
        call 30
        local.get 6
        i32.const 208
        i32.add
        i32.const 1048752
        call 30
        local.get 6
        i32.const 216
        i32.add
        local.get 6
        i32.const 196
        i32.add
        local.get 5
        call 50
        i32.eqz
        br_if 0 (;@1;)
        i32.const 0
        local.set 7
        local.get 6
        i32.load offset=196
        call 43
        i32.const 4
        local.get 6
        i32.const 188
        i32.add
        local.get 5
        call 49
        i32.eqz
        br_if 0 (;@1;)
        local.get 6
        i32.const 208
        i32.add
        local.get 6
        i32.const 200
        i32.add
        local.get 5
        call 48
        i32.eqz
        br_if 0 (;@1;)
        local.get 6
        i32.const 160
        i32.add
        i32.const 1048738
        call 30
        local.get 6
        i32.const 160
        i32.add
        i32.const 8
        i32.or
        local.set 7
        local.get 6
        i32.load offset=200
        local.set 8
        local.get 6
        i32.load offset=204
        local.tee 2
        i32.const 1
        i32.add
        call 23
        local.set 0
        block ;; label = @2
          local.get 2
          i32.eqz
          br_if 0 (;@2;)
          local.get 2
          i32.eqz
          br_if 0 (;@2;)
          local.get 0
          local.get 8
          local.get 2
          memory.copy
        end
        local.get 0
        local.get 2
        i32.add
        i32.const 0
        i32.store8
        local.get 6
        i32.const 0
        i32.store offset=52
        local.get 6
        local.get 0
        i32.store offset=48
        local.get 7
        i32.const 1048871
        local.get 6
        i32.const 48
        i32.add
        call 34
        call 30
        local.get 6
        i32.const 124
        i32.add
        i32.const 1048814
        call 30
        local.get 6
        i32.const 124
        i32.add
        i32.const 8
        i32.add
        local.set 7
        local.get 1
        i32.load
        local.set 8
        local.get 1
        i32.load offset=4
        local.tee 2
        i32.const 1
        i32.add
        call 23
        local.set 0
        block ;; label = @2
          local.get 2
          i32.eqz
          br_if 0 (;@2;)
          local.get 2
          i32.eqz
          br_if 0 (;@2;)
          local.get 0
          local.get 8
          local.get 2
          memory.copy
        end
        local.get 0
        local.get 2
        i32.add
        i32.const 0
        i32.store8
        local.get 7
        local.get 0
        i32.const 1048759
        i32.const 0
        call 35
        call 30
        local.get 6
        i32.const 1
        i32.store offset=144
        local.get 6
        i32.const 10000
        i32.store offset=156
        local.get 6
        local.get 6
        i64.load offset=188 align=4
        i64.store offset=148 align=4
        local.get 6
        local.get 6
        i32.const 160
        i32.add
        i32.store offset=140
        local.get 6
        i32.const 124
        i32.add
        local.get 6
        i32.const 96
        i32.add
        local.get 5
        call 51
        local.tee 7
        i32.eqz
        br_if 0 (;@1;)
        call 45
        local.set 8
        call 46
        local.set 9
        i32.const 1
        call 47
        local.set 10
        local.get 6
        i32.const 0
        i32.store16 offset=65 align=1
        local.get 6
        i32.const 1
        i32.store8 offset=64
        local.get 6
        i32.const 0
        i32.store8 offset=67
        local.get 6
        i32.load offset=96
        local.set 2
        i32.const 11
        call 23
        local.tee 5
        i32.const 0
        i32.store8 offset=10
        local.get 5
        i32.const 10
        i32.add
        local.set 5
        loop ;; label = @2
          local.get 5
          i32.const -1
          i32.add
          local.tee 5
          local.get 2
          local.get 2
          i32.const 10
          i32.div_u
          local.tee 0
          i32.const 10
          i32.mul
          i32.sub
          i32.const 48
          i32.or
          i32.store8
          local.get 2
          i32.const 9
          i32.gt_u
          local.set 1
          local.get 0
          local.set 2
          local.get 1
          br_if 0 (;@2;)
        end
        local.get 6
        i32.const 40
        i32.add
        i32.const 0
        i32.store
        local.get 6
        i32.const 36
        i32.add
        i32.const 1048682
        i32.store
        local.get 6
        i32.const 32
        i32.add
        i32.const 1048766
        i32.const 1048791
        local.get 9
        select
        i32.store
        local.get 6
        i32.const 1048902
        i32.store offset=28
        local.get 6
        i32.const 1048913
        i32.store offset=20
        local.get 6
        local.get 5
        i32.store offset=16
        local.get 6
        i32.const 1048766
        i32.const 1048791
        local.get 8
        local.get 10
        i32.or
        i32.const 1
        i32.and
        select
        i32.store offset=24
        local.get 6
        i32.const 68
        i32.add
        i32.const 1048890
        local.get 6
        i32.const 16
        i32.add
        call 34
        call 30
        local.get 6
        i32.const 0
        i32.store offset=84
        local.get 6
        local.get 3
        i64.load align=4
        i64.store offset=76 align=4
        i32.const 1048806
        call 31
        local.set 2
        local.get 4
        local.get 6
        i64.load offset=64 align=4
        i64.store align=4
        local.get 4
        local.get 6
        i64.load offset=72 align=4
        i64.store offset=8 align=4
        local.get 4
        local.get 6
        i64.load offset=80 align=4
        i64.store offset=16 align=4
        local.get 6
        i32.const 1
        i32.store offset=92
        local.get 6
        local.get 2
        i32.store offset=88
        local.get 4
        local.get 6
        i64.load offset=88 align=4
        i64.store offset=24 align=4
      end
      local.get 6
      i32.const 256
      i32.add
      global.set 0
      local.get 7
    )
    (func (;34;) (type 10) (param i32 i32) (result i32)
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
          call 57
          local.tee 5
          local.get 4
          i32.add
          local.tee 6
          i32.const 1
          i32.add
          call 28
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
    (func (;35;) (type 13) (param i32 i32 i32) (result i32)
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
      i32.const 1048819
      i32.store offset=36
      local.get 3
      local.get 1
      i32.store offset=32
      local.get 0
      i32.const 1048869
      local.get 3
      i32.const 32
      i32.add
      call 34
      call 20
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
        i32.const 1048819
        i32.store offset=20
        local.get 3
        local.get 2
        i32.store offset=16
        local.get 0
        i32.const 1048869
        local.get 3
        i32.const 16
        i32.add
        call 34
        call 20
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
          call 57
          i32.add
          i32.const 2
          i32.add
          i32.const 34
          call 22
          local.tee 0
          i32.eqz
          br_if 0 (;@2;)
          local.get 0
          i32.const 1
          i32.add
          local.tee 1
          i32.const 1048869
          call 21
          local.tee 2
          i32.const 1
          i32.add
          call 23
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
        i32.const 1048928
        local.get 3
        call 34
        local.set 0
      end
      local.get 3
      i32.const 48
      i32.add
      global.set 0
      local.get 0
    )
    (func (;36;) (type 14) (param i32 i32 i32 i32 i32) (result i32)
      (local i32 i32 i32)
      global.get 0
      i32.const 32
      i32.sub
      local.tee 5
      global.set 0
      local.get 2
      i32.load
      local.set 6
      local.get 2
      i32.load offset=4
      local.tee 7
      i32.const 1
      i32.add
      call 23
      local.set 2
      block ;; label = @1
        local.get 7
        i32.eqz
        br_if 0 (;@1;)
        local.get 7
        i32.eqz
        br_if 0 (;@1;)
        local.get 2
        local.get 6
        local.get 7
        memory.copy
      end
      local.get 2
      local.get 7
      i32.add
      i32.const 0
      i32.store8
      i32.const 0
      local.set 7
      block ;; label = @1
        local.get 2
        i32.const 1048826
        call 20
        br_if 0 (;@1;)
        i32.const 1
        i32.const 2
        local.get 2
        i32.const 1048822
        call 20
        select
        local.set 7
      end
      local.get 5
      i32.const 0
      i32.store16 offset=9 align=1
      local.get 5
      local.get 7
      i32.store8 offset=8
      local.get 5
      i32.const 0
      i32.store8 offset=11
      local.get 5
      i32.const 12
      i32.add
      local.get 2
      call 30
      local.get 5
      i32.const 0
      i32.store offset=20
      i32.const 1048691
      call 31
      local.set 2
      local.get 3
      local.get 5
      i64.load offset=8 align=4
      i64.store align=4
      local.get 3
      local.get 5
      i64.load offset=16 align=4
      i64.store offset=8 align=4
      local.get 5
      i32.const 1
      i32.store offset=28
      local.get 5
      local.get 2
      i32.store offset=24
      local.get 3
      local.get 5
      i64.load offset=24 align=4
      i64.store offset=16 align=4
      local.get 5
      i32.const 32
      i32.add
      global.set 0
      i32.const 1
    )
    (func (;37;) (type 5)
      unreachable
    )
    (func (;38;) (type 11) (param i32)
      (local i32 i32)
      block ;; label = @1
        local.get 0
        i32.load offset=4
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load
        call 27
      end
      block ;; label = @1
        local.get 0
        i32.load offset=12
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=8
        call 27
      end
      block ;; label = @1
        local.get 0
        i32.load offset=20
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=16
        call 27
      end
      block ;; label = @1
        local.get 0
        i32.load offset=28
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=24
        call 27
      end
      block ;; label = @1
        local.get 0
        i32.load offset=36
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        i32.load offset=32
        call 27
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
            call 27
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
            call 27
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
        call 27
      end
    )
    (func (;39;) (type 11) (param i32)
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
            call 27
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
            call 27
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
        call 27
      end
    )
    (func (;40;) (type 11) (param i32)
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
              call 27
            end
            block ;; label = @4
              local.get 0
              i32.load offset=20
              i32.eqz
              br_if 0 (;@4;)
              local.get 0
              i32.load offset=16
              call 27
            end
            local.get 0
            i32.load offset=32
            local.tee 1
            i32.eqz
            br_if 2 (;@1;)
            local.get 0
            i32.load offset=28
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
                call 27
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
                call 27
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
            call 27
          end
          block ;; label = @3
            local.get 0
            i32.load offset=16
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=12
            call 27
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
        call 27
      end
    )
    (func (;41;) (type 11) (param i32)
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
              call 27
            end
            local.get 0
            i32.load offset=24
            local.tee 1
            i32.eqz
            br_if 2 (;@1;)
            local.get 0
            i32.load offset=20
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
                call 27
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
                call 27
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
            call 27
          end
          block ;; label = @3
            local.get 0
            i32.load offset=16
            i32.eqz
            br_if 0 (;@3;)
            local.get 0
            i32.load offset=12
            call 27
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
        call 27
      end
    )
    (func (;42;) (type 6) (param i32 i32 i32 i32) (result i32)
      block ;; label = @1
        local.get 3
        i32.eqz
        br_if 0 (;@1;)
        local.get 0
        local.get 3
        call 28
        local.tee 2
        br_if 0 (;@1;)
        call 37
        unreachable
      end
      local.get 2
    )
    (func (;43;) (type 2) (param i32) (result i32)
      local.get 0
    )
    (func (;44;) (type 3) (param i32 i32 i32)
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
    (func (;45;) (type 1) (result i32)
      call 1
      i32.const 0
      i32.ne
    )
    (func (;46;) (type 1) (result i32)
      call 2
    )
    (func (;47;) (type 2) (param i32) (result i32)
      local.get 0
      call 3
      i32.const 0
      i32.ne
    )
    (func (;48;) (type 13) (param i32 i32 i32) (result i32)
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
      call 4
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
    (func (;49;) (type 6) (param i32 i32 i32 i32) (result i32)
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
      call 5
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
    (func (;50;) (type 13) (param i32 i32 i32) (result i32)
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
    (func (;51;) (type 13) (param i32 i32 i32) (result i32)
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
      call 7
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
    (func (;52;) (type 1) (result i32)
      (local i32)
      global.get 0
      i32.const 48
      i32.sub
      local.tee 0
      global.set 0
      local.get 0
      call 29
      i32.const 0
      local.get 0
      i64.load align=4
      i64.store offset=1049112 align=4
      i32.const 0
      local.get 0
      i64.load offset=8 align=4
      i64.store offset=1049120 align=4
      i32.const 0
      local.get 0
      i64.load offset=16 align=4
      i64.store offset=1049128 align=4
      i32.const 0
      local.get 0
      i64.load offset=24 align=4
      i64.store offset=1049136 align=4
      i32.const 0
      local.get 0
      i64.load offset=32 align=4
      i64.store offset=1049144 align=4
      i32.const 0
      local.get 0
      i64.load offset=40 align=4
      i64.store offset=1049152 align=4
      local.get 0
      i32.const 48
      i32.add
      global.set 0
      i32.const 1049112
    )
    (func (;53;) (type 10) (param i32 i32) (result i32)
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
      call 32
      i32.const 0
      local.get 2
      i64.load align=4
      i64.store offset=1049112 align=4
      local.get 2
      i32.const 16
      i32.add
      global.set 0
      i32.const 1049112
    )
    (func (;54;) (type 2) (param i32) (result i32)
      (local i32 i32 i32 i32 i32 i32 i32 i32 i32)
      global.get 0
      i32.const 160
      i32.sub
      local.tee 1
      global.set 0
      local.get 1
      local.get 0
      i32.load
      i32.store offset=96
      local.get 1
      local.get 0
      i64.load offset=4 align=4
      i64.store offset=100 align=4
      local.get 1
      local.get 0
      i64.load offset=12 align=4
      i64.store offset=108 align=4
      local.get 1
      local.get 0
      i64.load offset=20 align=4
      i64.store offset=116 align=4
      local.get 1
      local.get 0
      i64.load offset=28 align=4
      i64.store offset=124 align=4
      local.get 1
      local.get 0
      i64.load offset=36 align=4
      i64.store offset=132 align=4
      local.get 1
      local.get 0
      i64.load offset=44 align=4
      i64.store offset=140 align=4
      local.get 1
      local.get 0
      i64.load offset=52 align=4
      i64.store offset=148 align=4
      local.get 1
      local.get 0
      i32.load offset=60
      i32.store offset=156
      local.get 1
      local.get 0
      i64.load offset=64 align=4
      i64.store offset=88 align=4
      local.get 1
      local.get 0
      i64.load offset=72 align=4
      i64.store offset=80 align=4
      local.get 1
      local.get 0
      i64.load offset=80 align=4
      i64.store offset=72 align=4
      block ;; label = @1
        block ;; label = @2
          local.get 1
          i32.const 96
          i32.add
          local.get 1
          i32.const 88
          i32.add
          local.get 1
          i32.const 80
          i32.add
          local.get 1
          i32.const 72
          i32.add
          local.get 1
          i32.const 40
          i32.add
          local.get 1
          i32.const 8
          i32.add
          call 33
          br_if 0 (;@2;)
          local.get 1
          i32.load offset=36
          local.set 2
          local.get 1
          i32.load offset=32
          local.set 3
          local.get 1
          i32.load offset=28
          local.set 4
          local.get 1
          i32.load offset=20
          local.set 5
          local.get 1
          i32.load offset=16
          local.set 6
          local.get 1
          i32.load offset=12
          local.set 7
          local.get 1
          i32.load offset=8
          local.set 8
          local.get 1
          i32.load offset=24
          local.set 9
          local.get 0
          call 27
          i32.const 0
          local.get 9
          i32.store8 offset=1049132
          i32.const 0
          local.get 8
          i32.store offset=1049116
          i32.const 1
          local.set 0
          br 1 (;@1;)
        end
        local.get 1
        i32.load offset=68
        local.set 2
        local.get 1
        i32.load offset=64
        local.set 3
        local.get 1
        i32.load offset=60
        local.set 4
        local.get 1
        i32.load offset=52
        local.set 5
        local.get 1
        i32.load offset=48
        local.set 6
        local.get 1
        i32.load offset=44
        local.set 7
        local.get 1
        i32.load8_u offset=40
        local.set 8
        local.get 1
        i32.load offset=56
        local.set 9
        local.get 0
        call 27
        i32.const 0
        local.set 0
        i32.const 0
        local.get 9
        i32.store offset=1049132
        i32.const 0
        local.get 8
        i32.const 1
        i32.and
        i32.store8 offset=1049116
      end
      i32.const 0
      local.get 6
      i32.store offset=1049124
      i32.const 0
      local.get 0
      i32.store8 offset=1049112
      i32.const 0
      local.get 2
      i32.store offset=1049144
      i32.const 0
      local.get 4
      i32.store offset=1049136
      i32.const 0
      local.get 5
      i32.store offset=1049128
      i32.const 0
      local.get 7
      i32.store offset=1049120
      i32.const 0
      local.get 3
      i32.store offset=1049140
      local.get 1
      i32.const 160
      i32.add
      global.set 0
      i32.const 1049112
    )
    (func (;55;) (type 12) (param i32 i32 i32 i32 i32 i32) (result i32)
      (local i32)
      global.get 0
      i32.const 80
      i32.sub
      local.tee 6
      global.set 0
      local.get 6
      local.get 1
      i32.store offset=76
      local.get 6
      local.get 0
      i32.store offset=72
      local.get 6
      local.get 3
      i32.store offset=68
      local.get 6
      local.get 2
      i32.store offset=64
      local.get 6
      local.get 5
      i32.store offset=60
      local.get 6
      local.get 4
      i32.store offset=56
      block ;; label = @1
        block ;; label = @2
          local.get 6
          i32.const 72
          i32.add
          local.get 6
          i32.const 64
          i32.add
          local.get 6
          i32.const 56
          i32.add
          local.get 6
          i32.const 32
          i32.add
          local.get 6
          call 36
          br_if 0 (;@2;)
          i32.const 0
          local.get 6
          i32.load offset=16
          i32.store8 offset=1049132
          i32.const 0
          local.get 6
          i32.load
          i32.store offset=1049116
          i32.const 0
          i32.const 1
          i32.store8 offset=1049112
          i32.const 0
          local.get 6
          i64.load offset=24 align=4
          i64.store offset=1049140 align=4
          local.get 6
          i32.load offset=20
          local.set 1
          local.get 6
          i32.load offset=12
          local.set 0
          local.get 6
          i32.load offset=8
          local.set 3
          local.get 6
          i32.load offset=4
          local.set 2
          br 1 (;@1;)
        end
        i32.const 0
        local.get 6
        i32.load offset=48
        i32.store offset=1049132
        i32.const 0
        local.get 6
        i32.load offset=32
        i32.store8 offset=1049116
        i32.const 0
        i32.const 0
        i32.store8 offset=1049112
        local.get 6
        i32.load offset=52
        local.set 1
        local.get 6
        i32.load offset=44
        local.set 0
        local.get 6
        i32.load offset=40
        local.set 3
        local.get 6
        i32.load offset=36
        local.set 2
      end
      i32.const 0
      local.get 1
      i32.store offset=1049136
      i32.const 0
      local.get 0
      i32.store offset=1049128
      i32.const 0
      local.get 2
      i32.store offset=1049120
      i32.const 0
      local.get 3
      i32.store offset=1049124
      local.get 6
      i32.const 80
      i32.add
      global.set 0
      i32.const 1049112
    )
    (func (;56;) (type 5)
      call 10
    )
    (func (;57;) (type 2) (param i32) (result i32)
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
    (data (;0;) (i32.const 1048576) "{}\00{\22http\22: [{\22config\22: \22/url\22}], \22secrets\22: [{\22named\22: \22golden\22}]}\00{\22type\22: \22object\22, \22required\22: [\22url\22]}\00digest\00verdict\00is refused, as it says\00artifacts\00begun\00authorization\00golden\00url\00of\00true\00golden-gate\00/refuse\00false\00describe\00sampled\00POST\00\22:\00400\00200\000.1.0\00Uses all that a gate has.\00\22refuse\22\00Bearer \00begins in \00{\22status\22: \00, \22time\22: \00, \22cancelled\22: \00")
    (@producers
      (processed-by "wit-component" "0.258.3")
      (processed-by "wit-bindgen-c" "0.61.1")
    )
  )
  (core module $wit-component-shim-module (;1;)
    (type (;0;) (func (param i32 i32 i32 i32 i32)))
    (type (;1;) (func (param i32 i32 i32)))
    (type (;2;) (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (table (;0;) 5 5 funcref)
    (export "0" (func 0))
    (export "1" (func 1))
    (export "2" (func 2))
    (export "3" (func 3))
    (export "4" (func 4))
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
    (func (;4;) (type 2) (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
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
      i32.const 4
      call_indirect (type 2)
    )
    (@producers
      (processed-by "wit-component" "0.258.3")
    )
  )
  (core instance $wit-component-shim-instance (;0;) (instantiate $wit-component-shim-module))
  (alias export $lockgate:plugin/types@0.1.0 "call" (type $call (;12;)))
  (alias export $lockgate:plugin/types@0.1.0 "failure" (type $"#type13 failure" (@name "failure") (;13;)))
  (alias export $lockgate:plugin/types@0.1.0 "field" (type $"#type14 field" (@name "field") (;14;)))
  (alias export $lockgate:plugin/types@0.1.0 "json" (type $json (;15;)))
  (alias export $lockgate:plugin/types@0.1.0 "description" (type $description (;16;)))
  (alias export $lockgate:plugin/types@0.1.0 "issue" (type $issue (;17;)))
  (type (;18;) (list u8))
  (type (;19;) (list $"#type14 field"))
  (type (;20;) (record (field "done" bool) (field "evidence" $json) (field "memo" 18) (field "poll-after-ms" u32) (field "extra" 19)))
  (type (;21;) (enum "pass" "fail" "inconclusive"))
  (type (;22;) (record (field "decision" 21) (field "reason" string) (field "valid-for-ms" u32) (field "extra" 19)))
  (alias core export $wit-component-shim-instance "0" (core func $indirect-lockgate:plugin/log@0.1.0-emit (;0;)))
  (core instance $lockgate:plugin/log@0.1.0 (;1;)
    (export "emit" (func $indirect-lockgate:plugin/log@0.1.0-emit))
  )
  (alias export $lockgate:plugin/control@0.1.0 "is-cancelled" (func $is-cancelled (;0;)))
  (core func $is-cancelled (;1;) (canon lower (func $is-cancelled)))
  (alias export $lockgate:plugin/control@0.1.0 "remaining-ms" (func $remaining-ms (;1;)))
  (core func $remaining-ms (;2;) (canon lower (func $remaining-ms)))
  (alias export $lockgate:plugin/control@0.1.0 "wait" (func $wait (;2;)))
  (core func $wait (;3;) (canon lower (func $wait)))
  (core instance $lockgate:plugin/control@0.1.0 (;2;)
    (export "is-cancelled" (func $is-cancelled))
    (export "remaining-ms" (func $remaining-ms))
    (export "wait" (func $wait))
  )
  (alias core export $wit-component-shim-instance "1" (core func $indirect-lockgate:plugin/secrets@0.1.0-token (;4;)))
  (core instance $lockgate:plugin/secrets@0.1.0 (;3;)
    (export "token" (func $indirect-lockgate:plugin/secrets@0.1.0-token))
  )
  (alias core export $wit-component-shim-instance "2" (core func $"indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read" (;5;)))
  (alias core export $wit-component-shim-instance "3" (core func $indirect-lockgate:plugin/artifacts@0.1.0-open (;6;)))
  (core instance $lockgate:plugin/artifacts@0.1.0 (;4;)
    (export "[method]reader.read" (func $"indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read"))
    (export "open" (func $indirect-lockgate:plugin/artifacts@0.1.0-open))
  )
  (alias core export $wit-component-shim-instance "4" (core func $indirect-lockgate:plugin/http@0.1.0-send (;7;)))
  (core instance $lockgate:plugin/http@0.1.0 (;5;)
    (export "send" (func $indirect-lockgate:plugin/http@0.1.0-send))
  )
  (core instance $main (;6;) (instantiate $main
      (with "lockgate:plugin/log@0.1.0" (instance $lockgate:plugin/log@0.1.0))
      (with "lockgate:plugin/control@0.1.0" (instance $lockgate:plugin/control@0.1.0))
      (with "lockgate:plugin/secrets@0.1.0" (instance $lockgate:plugin/secrets@0.1.0))
      (with "lockgate:plugin/artifacts@0.1.0" (instance $lockgate:plugin/artifacts@0.1.0))
      (with "lockgate:plugin/http@0.1.0" (instance $lockgate:plugin/http@0.1.0))
    )
  )
  (alias core export $main "memory" (core memory $memory (;0;)))
  (core module $wit-component-fixup (;2;)
    (type (;0;) (func (param i32 i32 i32 i32 i32)))
    (type (;1;) (func (param i32 i32 i32)))
    (type (;2;) (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (type (;3;) (func))
    (import "actual" "0" (func (;0;) (type 0)))
    (import "actual" "1" (func (;1;) (type 1)))
    (import "actual" "2" (func (;2;) (type 1)))
    (import "actual" "3" (func (;3;) (type 1)))
    (import "actual" "4" (func (;4;) (type 2)))
    (import "main" "_initialize" (func (;5;) (type 3)))
    (import "shim" "$imports" (table (;0;) 5 5 funcref))
    (start 5)
    (elem (;0;) (i32.const 0) func 0 1 2 3 4)
    (@producers
      (processed-by "wit-component" "0.258.3")
    )
  )
  (alias export $lockgate:plugin/log@0.1.0 "emit" (func $emit (;3;)))
  (core func $"#core-func8 indirect-lockgate:plugin/log@0.1.0-emit" (@name "indirect-lockgate:plugin/log@0.1.0-emit") (;8;) (canon lower (func $emit) (memory $memory) string-encoding=utf8))
  (alias export $lockgate:plugin/secrets@0.1.0 "token" (func $token (;4;)))
  (alias core export $main "cabi_realloc" (core func $cabi_realloc (;9;)))
  (core func $"#core-func10 indirect-lockgate:plugin/secrets@0.1.0-token" (@name "indirect-lockgate:plugin/secrets@0.1.0-token") (;10;) (canon lower (func $token) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/artifacts@0.1.0 "[method]reader.read" (func $"[method]reader.read" (;5;)))
  (core func $"#core-func11 indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read" (@name "indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read") (;11;) (canon lower (func $"[method]reader.read") (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/artifacts@0.1.0 "open" (func $open (;6;)))
  (core func $"#core-func12 indirect-lockgate:plugin/artifacts@0.1.0-open" (@name "indirect-lockgate:plugin/artifacts@0.1.0-open") (;12;) (canon lower (func $open) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $lockgate:plugin/http@0.1.0 "send" (func $send (;7;)))
  (core func $"#core-func13 indirect-lockgate:plugin/http@0.1.0-send" (@name "indirect-lockgate:plugin/http@0.1.0-send") (;13;) (canon lower (func $send) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (core instance $actual (;7;)
    (export "0" (func $"#core-func8 indirect-lockgate:plugin/log@0.1.0-emit"))
    (export "1" (func $"#core-func10 indirect-lockgate:plugin/secrets@0.1.0-token"))
    (export "2" (func $"#core-func11 indirect-lockgate:plugin/artifacts@0.1.0-[method]reader.read"))
    (export "3" (func $"#core-func12 indirect-lockgate:plugin/artifacts@0.1.0-open"))
    (export "4" (func $"#core-func13 indirect-lockgate:plugin/http@0.1.0-send"))
  )
  (core instance $fixup (;8;) (instantiate $wit-component-fixup
      (with "actual" (instance $actual))
      (with "main" (instance $main))
      (with "shim" (instance $wit-component-shim-instance))
    )
  )
  (type (;23;) (func (result $description)))
  (alias core export $main "lockgate:gate/gate@0.1.0#describe" (core func $lockgate:gate/gate@0.1.0#describe (;14;)))
  (alias core export $main "cabi_post_lockgate:gate/gate@0.1.0#describe" (core func $cabi_post_lockgate:gate/gate@0.1.0#describe (;15;)))
  (func $describe (;8;) (type 23) (canon lift (core func $lockgate:gate/gate@0.1.0#describe) (memory $memory) string-encoding=utf8 (post-return $cabi_post_lockgate:gate/gate@0.1.0#describe)))
  (type (;24;) (list $issue))
  (type (;25;) (func (param "config" $json) (result 24)))
  (alias core export $main "lockgate:gate/gate@0.1.0#validate" (core func $lockgate:gate/gate@0.1.0#validate (;16;)))
  (alias core export $main "cabi_post_lockgate:gate/gate@0.1.0#validate" (core func $cabi_post_lockgate:gate/gate@0.1.0#validate (;17;)))
  (func $validate (;9;) (type 25) (canon lift (core func $lockgate:gate/gate@0.1.0#validate) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8 (post-return $cabi_post_lockgate:gate/gate@0.1.0#validate)))
  (type (;26;) (result 20 (error $"#type13 failure")))
  (type (;27;) (func (param "c" $call) (param "config" $json) (param "subject" $json) (param "memo" 18) (result 26)))
  (alias core export $main "lockgate:gate/gate@0.1.0#sample" (core func $lockgate:gate/gate@0.1.0#sample (;18;)))
  (alias core export $main "cabi_post_lockgate:gate/gate@0.1.0#sample" (core func $cabi_post_lockgate:gate/gate@0.1.0#sample (;19;)))
  (func $sample (;10;) (type 27) (canon lift (core func $lockgate:gate/gate@0.1.0#sample) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8 (post-return $cabi_post_lockgate:gate/gate@0.1.0#sample)))
  (type (;28;) (result 22 (error $"#type13 failure")))
  (type (;29;) (func (param "config" $json) (param "subject" $json) (param "evidence" $json) (result 28)))
  (alias core export $main "lockgate:gate/gate@0.1.0#judge" (core func $lockgate:gate/gate@0.1.0#judge (;20;)))
  (alias core export $main "cabi_post_lockgate:gate/gate@0.1.0#judge" (core func $cabi_post_lockgate:gate/gate@0.1.0#judge (;21;)))
  (func $judge (;11;) (type 29) (canon lift (core func $lockgate:gate/gate@0.1.0#judge) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8 (post-return $cabi_post_lockgate:gate/gate@0.1.0#judge)))
  (alias export $lockgate:plugin/types@0.1.0 "retry" (type $retry (;30;)))
  (component $lockgate:gate/gate@0.1.0-shim-component (;0;)
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
    (import "import-type-field0" (type (;23;) (eq 1)))
    (type (;24;) (list 23))
    (type (;25;) (record (field "done" bool) (field "evidence" 17) (field "memo" 22) (field "poll-after-ms" u32) (field "extra" 24)))
    (import "import-type-sampled" (type (;26;) (eq 25)))
    (import "import-type-failure0" (type (;27;) (eq 10)))
    (type (;28;) (result 26 (error 27)))
    (type (;29;) (func (param "c" 21) (param "config" 17) (param "subject" 17) (param "memo" 22) (result 28)))
    (import "import-func-sample" (func (;2;) (type 29)))
    (type (;30;) (enum "pass" "fail" "inconclusive"))
    (import "import-type-decision" (type (;31;) (eq 30)))
    (type (;32;) (record (field "decision" 31) (field "reason" string) (field "valid-for-ms" u32) (field "extra" 24)))
    (import "import-type-verdict" (type (;33;) (eq 32)))
    (type (;34;) (result 33 (error 27)))
    (type (;35;) (func (param "config" 17) (param "subject" 17) (param "evidence" 17) (result 34)))
    (import "import-func-judge" (func (;3;) (type 35)))
    (export (;36;) "call" (type 4))
    (export (;37;) "failure" (type 10))
    (export (;38;) "field" (type 1))
    (export (;39;) "json" (type 8))
    (export (;40;) "description" (type 12))
    (export (;41;) "issue" (type 14))
    (type (;42;) (list u8))
    (type (;43;) (list 38))
    (type (;44;) (record (field "done" bool) (field "evidence" 39) (field "memo" 42) (field "poll-after-ms" u32) (field "extra" 43)))
    (export (;45;) "sampled" (type 44))
    (type (;46;) (enum "pass" "fail" "inconclusive"))
    (export (;47;) "decision" (type 46))
    (type (;48;) (record (field "decision" 47) (field "reason" string) (field "valid-for-ms" u32) (field "extra" 43)))
    (export (;49;) "verdict" (type 48))
    (type (;50;) (func (result 40)))
    (export (;4;) "describe" (func 0) (func (type 50)))
    (type (;51;) (list 41))
    (type (;52;) (func (param "config" 39) (result 51)))
    (export (;5;) "validate" (func 1) (func (type 52)))
    (type (;53;) (result 45 (error 37)))
    (type (;54;) (func (param "c" 36) (param "config" 39) (param "subject" 39) (param "memo" 42) (result 53)))
    (export (;6;) "sample" (func 2) (func (type 54)))
    (type (;55;) (result 49 (error 37)))
    (type (;56;) (func (param "config" 39) (param "subject" 39) (param "evidence" 39) (result 55)))
    (export (;7;) "judge" (func 3) (func (type 56)))
  )
  (instance $lockgate:gate/gate@0.1.0-shim-instance (;6;) (instantiate $lockgate:gate/gate@0.1.0-shim-component
      (with "import-func-describe" (func $describe))
      (with "import-func-validate" (func $validate))
      (with "import-func-sample" (func $sample))
      (with "import-func-judge" (func $judge))
      (with "import-type-field" (type $"#type14 field"))
      (with "import-type-call" (type $call))
      (with "import-type-retry" (type $retry))
      (with "import-type-json" (type $json))
      (with "import-type-failure" (type $"#type13 failure"))
      (with "import-type-description" (type $description))
      (with "import-type-issue" (type $issue))
      (with "import-type-description0" (type $description))
      (with "import-type-json0" (type $json))
      (with "import-type-issue0" (type $issue))
      (with "import-type-call0" (type $call))
      (with "import-type-field0" (type $"#type14 field"))
      (with "import-type-sampled" (type 20))
      (with "import-type-failure0" (type $"#type13 failure"))
      (with "import-type-decision" (type 21))
      (with "import-type-verdict" (type 22))
    )
  )
  (export $lockgate:gate/gate@0.1.0 (;7;) "lockgate:gate/gate@0.1.0" (instance $lockgate:gate/gate@0.1.0-shim-instance))
  (@producers
    (processed-by "wit-component" "0.258.3")
  )
)

